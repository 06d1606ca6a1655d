/**
 * A real browser: a Chromium, driven by playwright-core, which brings none of its own.
 */
import { Effect, type Scope } from "effect"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import { type Chromium, startChromium } from "./chromium.js"

const launch = ({ env, executable }: Chromium): Promise<Browser> =>
  chromium.launch({
    executablePath: executable,
    // Root has no sandbox, and many hosts give none to other users either. The only page that is opened is our own.
    chromiumSandbox: false,
    timeout: 60_000,
    env: { ...process.env, ...env },
    args: [
      // Neither the host's graphics nor libraries of the browser's own for them: pictures are painted without.
      "--disable-gpu",
      "--disable-software-rasterizer",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync"
    ]
  })

/** Starts the browser. Where none can be started it says what to do, and the test fails. */
export const startBrowser: Effect.Effect<Browser, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() => startChromium(launch)),
  (browser) => Effect.promise(() => browser.close())
)

/** A page, and what it did that it should not: errors, violations of its policy, requests to others than its server. */
export interface Watched {
  readonly page: Page
  readonly complaints: ReadonlyArray<string>
  /** All that it was sent, event streams aside. */
  readonly bodies: ReadonlyArray<string>
}

/** Opens a page in a context of its own: nothing is left of what another test did. */
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
