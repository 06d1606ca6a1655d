/**
 * Answers that were mutated, a million of them, through the classification of attempts: each has an outcome, none throws,
 * and none is read as accepted that does not say so.
 */
import { Redacted } from "effect"
import { PCGRandom } from "effect/Utils"
import { assert, describe, it } from "vitest"
import type { AttemptOutcome } from "../../src/schemas/AttemptOutcome.js"
import type { Token } from "../../src/schemas/Credentials.js"
import { goodToken } from "../support/stack.js"
import { fixture, rest, soap, soapFault, type Wire } from "../support/wires.js"
import { writeFigures } from "../support/figures.js"
import { propertyOptions } from "./options.js"

const token = Redacted.make(goodToken) as Token
const sessionKey = "B9F24903C3BA4770AE303032303541303032353437"

/** Answers as they come, secrets echoed where a careless server may do so. */
const seeds = (wire: Wire): ReadonlyArray<string> => [
  wire.sample,
  wire.withResult({ SessKey: sessionKey }),
  wire.withResult({ AuthSuccess: false, RespMsg: `Bad token ${goodToken}`, SessKey: "" }),
  wire.withResult({ FunctionOk: false, ErrCode: 5010, ErrMsg: `No ${goodToken} for ${sessionKey}` }),
  wire.withResult({ FunctionOk: undefined, FunctionOK: true, SessKey: sessionKey }),
  wire.withResult({
    AuthSuccess: false,
    ThisUser: { IsLockedOut: true, ExpirationDate: "13/32/20x6 99:99:99 QM" }
  }),
  "null",
  "Bad Request",
  "",
  "<html><body>502 Bad Gateway</body></html>",
  soapFault(`The token ${goodToken} is unknown`),
  fixture("method-refused-void.json")
]

/** What parsers and schemas stumble over, if over anything. */
const pieces = [
  ..."{}[]\"'<>&:,/\\\u0000\uFEFF\uD800\u2028 \n",
  "true",
  "false",
  "null",
  "0",
  "-1e999",
  "5030",
  "\\u0000",
  "\\uD800",
  "__proto__",
  '"constructor":',
  "<!DOCTYPE x>",
  "<![CDATA[",
  "]]>",
  "&amp;",
  "&#0;",
  "xsi:nil='true'",
  goodToken,
  sessionKey,
  "[".repeat(500),
  "<a>".repeat(100),
  "A".repeat(5000)
]

/** One to six changes at random places. */
const mutated = (random: PCGRandom, samples: ReadonlyArray<string>): string => {
  const pick = <A>(from: ReadonlyArray<A>): A => from[random.integer(from.length)]!
  let text = pick(samples)
  for (let changes = 1 + random.integer(6); changes > 0; changes--) {
    const at = random.integer(text.length + 1)
    const length = random.integer(2) === 0 ? random.integer(4) : random.integer(text.length - at + 1)
    const [before, part, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)]
    switch (random.integer(9)) {
      case 0: // cut off
        text = before
        break
      case 1: // lost in the middle
        text = before + after
        break
      case 2: // there twice
        text = before + part + part + after
        break
      case 3:
        text = before + pick(pieces) + after
        break
      case 4: // another character in the place of one
        text = before + String.fromCharCode(random.integer(0x300)) + text.slice(at + 1)
        break
      case 5: // the end of another answer
        text = before + pick(samples).slice(at)
        break
      case 6: // a flag turned around, wherever it is
        text = random.integer(2) === 0 ? text.replace("true", "false") : text.replace("false", "true")
        break
      case 7:
        text = text.replace(/"[^"]*"/, () => pick(pieces))
        break
      default: // in another case
        text = before + part.toUpperCase() + after
    }
  }
  return text
}

const statuses = [200, 200, 200, 200, 201, 204, 302, 400, 401, 403, 429, 500, 503]

const fuzz = async (wire: Wire, runs: number) => {
  const { numRuns, seed } = propertyOptions({ numRuns: runs })
  const random = new PCGRandom(seed)
  const samples = seeds(wire)
  const counts: Record<AttemptOutcome["_tag"], number> = {
    accepted: 0,
    refused: 0,
    faulted: 0,
    lost: 0,
    unsent: 0
  }
  const hides = new RegExp(`${goodToken}|${sessionKey}`, "i")
  let slowestMillis = 0
  for (let run = 0; run < numRuns; run++) {
    // Lets the test runner hear from this one.
    if (run % 20_000 === 0) await new Promise<void>((resolve) => setImmediate(resolve))
    const body = mutated(random, samples)
    const status = statuses[random.integer(statuses.length)]!
    const what = () => `${wire.name}, seed ${seed}, run ${run}, status ${status}: ${JSON.stringify(body)}`
    const began = performance.now()
    let outcome: AttemptOutcome
    try {
      outcome = wire.classify({ status, body }, token)
    } catch (error) {
      throw new Error(`threw at ${what()}`, { cause: error })
    }
    slowestMillis = Math.max(slowestMillis, performance.now() - began)
    counts[outcome._tag] += 1
    if (outcome._tag === "accepted") {
      if (status < 200 || status > 299 || !wire.saysAccepted(body.replace(/^\uFEFF/, ""))) {
        assert.fail(`accepted at ${what()}`)
      }
    } else if (outcome._tag === "lost" || outcome._tag === "unsent") {
      // A whole answer came.
      assert.fail(`${outcome._tag} at ${what()}`)
    } else if (hides.test(outcome.detail) || outcome.detail.length > 1000) {
      assert.fail(`${outcome.detail} at ${what()}`)
    }
  }
  console.log(
    `fuzz: ${numRuns} answers over ${wire.name}, seed ${seed}: ${JSON.stringify(counts)}; slowest ${slowestMillis.toFixed(1)} ms`
  )
  writeFigures(`fuzz-${wire.name}`, { seed, answers: numRuns, ...counts, slowestMillis })
  // It mutates so that each outcome is there often.
  for (const tag of ["accepted", "refused", "faulted"] as const) assert.isAbove(counts[tag], numRuns / 1000)
}

describe("mutated answers", () => {
  it("over REST: a million of them are classified, none throws, hangs or leaks", { timeout: 1_200_000 }, () =>
    fuzz(rest, 1_000_000)
  )

  it("over SOAP: fifty thousand", { timeout: 600_000 }, () => fuzz(soap, 50_000))
})
