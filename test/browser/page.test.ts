/**
 * The live page in a real browser. Screenshots for a person to look at are written to reports/screenshots.
 */
import * as Fs from "node:fs"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Redacted, Ref, Scope, SubscriptionRef } from "effect"
import type { Browser, BrowserContextOptions } from "playwright-core"
import * as Recorder from "../../src/inspect/Recorder.js"
import type { AccountCode } from "../../src/schemas/Credentials.js"
import { violations } from "../support/axe.js"
import { open, startBrowser } from "../support/browser.js"
import { searchFor } from "../support/canary.js"
import {
  endSession,
  gallery,
  litArrows,
  litState,
  lockedMarks,
  on,
  placesOf,
  program,
  serve,
  shows
} from "../support/livePage.js"
import { record } from "../support/records.js"
import { account, badToken, goodToken } from "../support/stack.js"

/** One browser for all tests. Each test has a context of its own in it, so that they may run at the same time. */
let browser: Browser
/** A page of accounts that no test changes. */
let galleryUrl: string
const own = Scope.make().pipe(Effect.runSync)
beforeAll(async () => {
  const begun = Effect.all([startBrowser, Effect.flatMap(gallery, serve)], { concurrency: "unbounded" })
  ;[browser, galleryUrl] = await Effect.runPromise(Scope.extend(begun, own))
}, 180_000)
afterAll(() => Effect.runPromise(Scope.close(own, Exit.void)))

/** A page that shows a recorder. */
const shown = (recorder: Recorder.Recorder["Type"], options: BrowserContextOptions = {}) =>
  Effect.gen(function* () {
    const url = yield* serve(recorder)
    return { url, ...(yield* open(browser, url, options)) }
  })

describe.concurrent("the live page", { timeout: 120_000 }, () => {
  it.scopedLive("shows each change of state as it happens, in words, in the chart and in the ledger", () =>
    Effect.gen(function* () {
      const { answers, auth, recorder, world } = yield* program
      const { complaints, page } = yield* shown(recorder)
      yield* on(() => page.getByText("No account has been seen yet.").waitFor())

      yield* auth.sessionKey
      yield* shows(page, "authenticated")
      assert.deepStrictEqual(yield* on(() => litState(page)), ["authenticated"])
      assert.deepStrictEqual(yield* on(() => litArrows(page, "last")), ["unauthenticated:authenticated"])
      assert.include(
        yield* on(() => litArrows(page, "taken")),
        "unauthenticated.idle:unauthenticated.attempting"
      )
      assert.deepStrictEqual(yield* on(() => placesOf(page)), [
        "free",
        "free",
        "free",
        "free",
        "free",
        "never"
      ])
      assert.match(yield* on(() => page.locator(".session").innerText()), /\d+ s old of 1 d 1 h/)

      yield* Ref.set(world.token, badToken(1))
      yield* answers.close
      const renewing = yield* Effect.fork(endSession(world, auth, 5030))
      yield* shows(page, "expired.attempting")
      assert.deepStrictEqual(yield* on(() => litState(page)), ["expired.attempting"])
      // Two steps of one transaction.
      assert.sameMembers(
        [...(yield* on(() => litArrows(page, "last")))],
        ["authenticated:expired", "expired.idle:expired.attempting"]
      )
      assert.strictEqual((yield* on(() => placesOf(page)))[0], "inFlight")
      assert.match(yield* on(() => page.locator(".session").innerText()), /attempt \d+: ends in \d+ s/)

      yield* answers.open
      yield* renewing.await
      yield* shows(page, "aborted")
      assert.deepStrictEqual(yield* on(() => placesOf(page)), [
        "refused",
        "free",
        "free",
        "free",
        "free",
        "never"
      ])
      const text = yield* on(() => page.locator("main").innerText())
      assert.match(text, /What to do: Read the reason/)
      assert.match(text, /1 of 5 places taken/)
      assert.match(yield* on(() => page.locator(".notices").innerText()), /aborted EP9116875[^]*was aborted/)
      assert.deepStrictEqual(complaints, [])
    })
  )

  it.scopedLive("goes back through the transitions, by keys and by buttons, while new ones come", () =>
    Effect.gen(function* () {
      const { auth, recorder, world } = yield* program
      yield* auth.sessionKey
      yield* Ref.set(world.token, badToken(1))
      yield* endSession(world, auth, 5050)
      const { page } = yield* shown(recorder)
      yield* shows(page, "aborted")
      const travel = page.getByLabel("Transition that is shown")
      const says = () => page.locator(".travel label span").innerText()
      assert.strictEqual(yield* on(says), "4 of 4")

      yield* on(() => travel.focus())
      yield* on(() => page.keyboard.press("ArrowLeft"))
      yield* shows(page, "unauthorized.attempting")
      assert.deepStrictEqual(yield* on(() => litState(page)), ["unauthorized.attempting"])
      assert.strictEqual((yield* on(() => placesOf(page)))[0], "inFlight")
      assert.match(
        yield* on(() => travel.getAttribute("aria-valuetext").then(String)),
        /^3 of 4, .*session\.unauthorized/
      )
      yield* on(() => page.getByRole("button", { name: "Back" }).click())
      yield* shows(page, "authenticated")
      assert.strictEqual((yield* on(() => placesOf(page)))[0], "free")
      yield* on(() => page.getByRole("button", { name: "First" }).click())
      yield* shows(page, "unauthenticated.attempting")

      // Transitions that come meanwhile are counted, and do not move the view.
      yield* auth.replaceCredentials(goodToken)
      yield* auth.sessionKey
      yield* on(() => page.getByText("1 of 7").waitFor())
      yield* shows(page, "unauthenticated.attempting")
      yield* on(() => page.locator(".steps button").filter({ hasText: "credentials.replaced" }).click())
      yield* shows(page, "unauthenticated.idle")
      yield* on(() => page.getByRole("button", { name: "Newest" }).click())
      yield* shows(page, "authenticated")
      assert.strictEqual(yield* on(says), "7 of 7")
    })
  )

  it.scopedLive("copies the trace as a sequence diagram, up to the transition that is shown", () =>
    Effect.gen(function* () {
      const { auth, recorder } = yield* program
      yield* auth.sessionKey
      const { page, url } = yield* shown(recorder, { permissions: ["clipboard-read", "clipboard-write"] })
      yield* shows(page, "authenticated")
      // The page may still show that the text before was copied, so the clipboard itself is read.
      const copied = () =>
        on(async () => {
          await page.evaluate("navigator.clipboard.writeText('')")
          await page.getByRole("button", { name: "Copy as sequence diagram" }).click()
          await page.waitForFunction("navigator.clipboard.readText().then((text) => text !== '')")
          await page.getByText("Copied, as a Mermaid").waitFor()
          return page.evaluate<string>("navigator.clipboard.readText()")
        })
      const query = `location=shop&account=${account}`
      const whole = yield* on(() => fetch(`${url}sequence?${query}`).then((answer) => answer.text()))
      assert.strictEqual(yield* copied(), whole)
      assert.include(whole, "accepted")
      yield* on(() => page.getByRole("button", { name: "Back" }).click())
      const part = yield* copied()
      assert.isTrue(part.startsWith("sequenceDiagram"))
      assert.notInclude(part, "accepted")
    })
  )

  it.scopedLive("shows the diagram if the browser does not let it copy", () =>
    Effect.gen(function* () {
      const { page } = yield* shown(
        yield* Recorder.ofTrace([record(), record({ sequence: 2, to: "aborted" })], "a trace")
      )
      yield* shows(page, "aborted")
      yield* on(() => page.evaluate("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))"))
      yield* on(() => page.getByRole("button", { name: "Copy as sequence diagram" }).click())
      const shownText = yield* on(() => page.getByLabel("Sequence diagram").inputValue())
      assert.match(shownText, /^sequenceDiagram/)
    })
  )

  it.scopedLive("keeps ten thousand accounts in a searchable list, and draws only the visible ones", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make()
      const codeOf = (n: number) => `EP${String(n).padStart(7, "0")}` as AccountCode
      for (let n = 1; n <= 10_000; n++) {
        const state = n === 4321 ? "aborted" : n % 100 === 0 ? "expired.idle" : "authenticated"
        recorder.record(record({ account: codeOf(n), sequence: n, from: state, to: state }))
      }
      const { complaints, page } = yield* shown(recorder)
      const rows = page.locator(".rows .row")
      yield* on(() => rows.first().waitFor())
      assert.isBelow(yield* on(() => rows.count()), 60)
      assert.include(yield* on(() => page.locator(".counts").innerText()), "authenticated 9,899")

      yield* on(() => page.getByLabel("Search").fill("aborted"))
      yield* on(() => page.getByText("1 found").waitFor())
      yield* on(() => rows.first().click())
      yield* shows(page, "aborted")
      assert.include(yield* on(() => page.locator("#account").innerText()), codeOf(4321))
      assert.include(page.url(), codeOf(4321))

      yield* on(() => page.getByLabel("Search").fill(""))
      const list = page.getByRole("listbox", { name: "Accounts" })
      yield* on(() => list.focus())
      yield* on(() => page.keyboard.press("End"))
      yield* on(() =>
        page
          .locator("#account")
          .filter({ hasText: codeOf(10_000) })
          .waitFor()
      )
      yield* on(() => page.locator(`[aria-selected=true][aria-posinset="10000"]`).waitFor())
      yield* on(() => page.keyboard.press("ArrowUp"))
      yield* on(() =>
        page
          .locator("#account")
          .filter({ hasText: codeOf(9999) })
          .waitFor()
      )
      assert.isBelow(yield* on(() => rows.count()), 60)

      // A burst of changes is drawn in a few frames, and all of it is there.
      yield* on(() =>
        page.evaluate(
          "window.frames_ = 0; new MutationObserver(() => window.frames_++).observe(document.querySelector('.counts'), { subtree: true, childList: true, characterData: true })"
        )
      )
      for (let n = 1; n <= 5000; n++) {
        recorder.record(
          record({ account: codeOf(n), sequence: 10_000 + n, from: "authenticated", to: "locked" })
        )
      }
      yield* on(() => page.getByRole("button", { name: "locked 5,000" }).waitFor())
      assert.isBelow((yield* on(() => page.evaluate("window.frames_"))) as number, 500)
      assert.deepStrictEqual(complaints, [])
    })
  )

  it.scopedLive("says when its server is gone, and goes on with all changes when the server is back", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make()
      recorder.record(record())
      const scope = yield* Scope.make()
      const url = yield* Scope.extend(serve(recorder), scope)
      const { page } = yield* open(browser, url)
      yield* on(() => page.getByText("Live.").waitFor())
      yield* Scope.close(scope, Exit.void)
      yield* on(() => page.getByText("The connection is lost.").waitFor())
      yield* shows(page, "unauthenticated.attempting")
      recorder.record(record({ sequence: 2, from: "unauthenticated.attempting", to: "aborted" }))
      yield* serve(recorder, Number(new URL(url).port))
      yield* shows(page, "aborted")
      yield* on(() => page.getByText("Live.").waitFor())
    })
  )

  it.scopedLive("shows attempts that are known only by their marks, and the trouble of a store", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make({ source: "store" })
      const { page } = yield* shown(recorder)
      const marks = lockedMarks(yield* recorder.nowMillis)
      recorder.record(record({ marks, lockReported: true, to: "locked", events: [] }))
      yield* shows(page, "locked")
      assert.deepStrictEqual(yield* on(() => placesOf(page)), [
        "refused",
        "lost",
        "inFlight",
        "free",
        "free",
        "never"
      ])
      const text = yield* on(() => page.locator(".ledger").innerText())
      assert.include(text, "Number reports the location as locked.")
      assert.match(text, /at least \d+/)
      yield* SubscriptionRef.set(recorder.trouble, "the store is away")
      yield* on(() => page.getByText("the store is away").waitFor())
    })
  )

  it.scopedLive("receives no secret, and shows none", () =>
    Effect.gen(function* () {
      const { auth, recorder, world } = yield* program
      const key = Redacted.value(yield* auth.sessionKey)
      yield* Ref.set(world.token, badToken(7))
      yield* endSession(world, auth, 5030)
      const { bodies, page, url } = yield* shown(recorder)
      yield* shows(page, "aborted")
      const rest = yield* on(() =>
        Promise.all(
          [
            "trace",
            `sequence?location=shop&account=${account}`,
            `records?location=shop&account=${account}`
          ].map((path) => fetch(url + path).then((answer) => answer.text()))
        )
      )
      const all = [...bodies, ...rest, yield* on(() => page.content())]
      assert.isAbove(bodies.length, 3)
      const search = searchFor({
        token: goodToken,
        "bad token": badToken(7).replace(/^0+/, "A".repeat(31)),
        key
      })
      for (const text of all) assert.deepStrictEqual(search(text), [])
      assert.isAbove(search(`${all.join("")} ${goodToken}`).length, 0)
    })
  )
})

describe.concurrent("the accessible live page", { timeout: 180_000 }, () => {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [1280, 390]) {
      it.scopedLive(`passes all rules of axe in ${colorScheme} at ${width} pixels, and fits the width`, () =>
        Effect.gen(function* () {
          const { complaints, page } = yield* open(browser, galleryUrl, {
            colorScheme,
            viewport: { width, height: width === 390 ? 844 : 900 }
          })
          for (const [code, state] of [
            [account, "aborted"],
            ["EP0000002", "locked"],
            ["EP0000003", "authenticated"]
          ] as const) {
            yield* on(() => page.locator(".row").filter({ hasText: code }).click())
            yield* shows(page, state)
            yield* on(() => page.locator("details").evaluate((element) => element.setAttribute("open", "")))
            const found = yield* on(() => violations(page))
            assert.deepStrictEqual(found, [], `${code}: ${JSON.stringify(found, null, 2)}`)
            const wider = yield* on(() => page.evaluate("document.documentElement.scrollWidth - innerWidth"))
            assert.isAtMost(wider as number, 0)
            Fs.mkdirSync("reports/screenshots", { recursive: true })
            yield* on(() =>
              page.screenshot({
                path: `reports/screenshots/${state}-${colorScheme}-${width}.png`,
                fullPage: true
              })
            )
          }
          assert.deepStrictEqual(complaints, [])
        })
      )
    }
  }

  it.scopedLive("can be used by keys alone, and shows the focus", () =>
    Effect.gen(function* () {
      const { page } = yield* open(browser, galleryUrl)
      yield* shows(page, "locked")
      const focused = () =>
        page.evaluate<readonly [string, string, string]>(
          "(() => { const e = document.activeElement; return [e.tagName, e.getAttribute('aria-label') ?? e.textContent.trim().slice(0, 30), getComputedStyle(e).outlineStyle] })()"
        )
      const seen: Array<string> = []
      for (let presses = 0; presses < 40; presses++) {
        yield* on(() => page.keyboard.press("Tab"))
        const [tag, name, outline] = yield* on(focused)
        if (tag === "BODY") break
        assert.strictEqual(outline, "solid", `${tag} ${name}`)
        seen.push(`${tag} ${name}`)
      }
      for (const wanted of [
        "INPUT ",
        "DIV Accounts",
        "DIV The statechart",
        "SUMMARY What can happen next",
        "BUTTON Newest",
        "INPUT Transition that is shown",
        "BUTTON Copy as sequence diagram"
      ]) {
        assert.isTrue(
          seen.some((name) => name.startsWith(wanted)),
          `${wanted} is not among ${seen.join(", ")}`
        )
      }
    })
  )
})
