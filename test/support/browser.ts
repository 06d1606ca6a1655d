/**
 * A real browser: Chromium as Debian has it, driven by playwright-core, which brings none of its own.
 */
import { existsSync } from "node:fs"
import { Effect, type Scope } from "effect"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"

const candidates = [process.env["NUMBER_TEST_CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser"]

/** Starts the browser. Where there is none it says how to get it, and the test fails. */
export const startBrowser: Effect.Effect<Browser, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() => {
    const executablePath = candidates.find((path) => path !== undefined && existsSync(path))
    if (executablePath === undefined) {
      throw new Error(
        "There is no Chromium for the tests of the live page. On Debian: apt-get install chromium. Elsewhere name one by NUMBER_TEST_CHROMIUM."
      )
    }
    return chromium.launch({
      executablePath,
      args: [
        // Chromium has no sandbox where it runs as root.
        ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync"
      ]
    })
  }),
  (browser) => Effect.promise(() => browser.close())
)

/** A page, and what it did that it should not: errors, violations of its policy, requests to others than its server. */
export interface Watched {
  readonly page: Page
  readonly complaints: ReadonlyArray<string>
  /** All that it was sent, event streams aside. */
  readonly bodies: ReadonlyArray<string>
}

export const open = (
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {}
): Effect.Effect<Watched, never, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.acquireRelease(
      Effect.promise(() => browser.newContext(options)),
      (opened) => Effect.promise(() => opened.close())
    )
    const page = yield* Effect.promise(() => context.newPage())
    const complaints: Array<string> = []
    const bodies: Array<string> = []
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text())
    })
    page.on("pageerror", (error) => complaints.push(String(error)))
    page.on("request", (request) => {
      const asked = new URL(request.url())
      if (asked.protocol !== "data:" && asked.origin !== new URL(url).origin) complaints.push(request.url())
    })
    page.on("response", (response) => {
      if (new URL(response.url()).pathname === "/events") return
      response.text().then(
        (body) => bodies.push(body),
        () => {}
      )
    })
    yield* Effect.promise(() => page.goto(url))
    return { page, complaints, bodies }
  })
