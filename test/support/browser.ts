/**
 * A real browser: a Chromium, driven by playwright-core, which brings no browser of its own.
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
      // Neither the host's graphics nor the browser's own libraries for graphics: pages are painted without
      // them.
      "--disable-gpu",
      "--disable-software-rasterizer",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync"
    ]
  })

/** Starts the browser. If none can be started, the test fails with an error that names the remedy. */
export const startBrowser: Effect.Effect<Browser, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() => startChromium(launch)),
  (browser) => Effect.promise(() => browser.close())
)

/**
 * A page, and its complaints: errors, violations of its policy, and requests to servers other than its own.
 */
export interface Watched {
  readonly page: Page
  readonly complaints: ReadonlyArray<string>
  /** All bodies that it received, except event streams. */
  readonly bodies: ReadonlyArray<string>
}

/** Opens a page in a context of its own, which has no traces of other tests. */
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
