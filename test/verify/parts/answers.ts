/** Mutated answers through the classification of attempts. */
import { Redacted } from "effect"
import { PCGRandom } from "effect/Utils"
import type { AttemptOutcome } from "../../../src/schemas/AttemptOutcome.js"
import type { Token } from "../../../src/schemas/Credentials.js"
import { goodToken } from "../../support/stack.js"
import { fixture, rest, soap, soapFault, type Wire } from "../../support/wires.js"
import { breathe, seedOf } from "../effort.js"
import { sentences } from "../markdown.js"
import type { Runner } from "../parts.js"

const token = Redacted.make(goodToken) as Token
const sessionKey = "B9F24903C3BA4770AE303032303541303032353437"

/** Real answers, with secrets echoed as a careless server may do. */
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

/** Texts over which a parser or a schema may stumble. */
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

type Counts = Record<AttemptOutcome["_tag"], number>

const noCounts = (): Counts => ({ accepted: 0, refused: 0, lockedOut: 0, faulted: 0, lost: 0, unsent: 0 })

const hides = new RegExp(`${goodToken}|${sessionKey}`, "i")

/** The reason why an answer must not have this outcome; null if it may. */
const objection = (wire: Wire, status: number, body: string, outcome: AttemptOutcome): string | null => {
  if (outcome._tag === "accepted") {
    const isSuccess = status >= 200 && status <= 299
    return isSuccess && wire.saysAccepted(body.replace(/^\uFEFF/, "")) ? null : "accepted"
  }
  // A whole answer came.
  if (outcome._tag === "lost" || outcome._tag === "unsent") return outcome._tag
  return hides.test(outcome.detail) || outcome.detail.length > 1000 ? `shows ${outcome.detail}` : null
}

/** Classifies one mutated answer, and returns the objection to its outcome; null if there is none. */
const tryOne = (
  wire: Wire,
  random: PCGRandom,
  samples: ReadonlyArray<string>,
  counts: Counts
): string | null => {
  const body = mutated(random, samples)
  const status = statuses[random.integer(statuses.length)]!
  const at = `at status ${status}: ${JSON.stringify(body)}`
  try {
    const outcome = wire.classify({ status, body }, token)
    counts[outcome._tag] += 1
    const wrong = objection(wire, status, body, outcome)
    return wrong === null ? null : `${wrong} ${at}`
  } catch (error) {
    return `${String(error)} ${at}`
  }
}

interface Figures {
  readonly wire: "REST" | "SOAP"
  readonly answers: number
  readonly counts: Counts
  readonly slowestMillis: number
}

/** A million over REST and fifty thousand over SOAP, whose parser takes longer. */
const jobs = [...Array.from({ length: 20 }, (_, index) => `REST ${index + 1}`), "SOAP 1"]

const add = (one: Counts, other: Counts): Counts => ({
  accepted: one.accepted + other.accepted,
  refused: one.refused + other.refused,
  lockedOut: one.lockedOut + other.lockedOut,
  faulted: one.faulted + other.faulted,
  lost: one.lost + other.lost,
  unsent: one.unsent + other.unsent
})

export const runner: Runner<Figures> = {
  jobs,
  run: async (job, effort) => {
    const wire = job.startsWith("REST") ? rest : soap
    const seed = seedOf(effort.seed, jobs, job)
    const random = new PCGRandom(seed)
    const samples = seeds(wire)
    const counts = noCounts()
    const breaches: Array<string> = []
    let answers = 0
    let slowestMillis = 0
    while (answers < effort.most && breaches.length === 0) {
      const began = performance.now()
      const wrong = tryOne(wire, random, samples, counts)
      slowestMillis = Math.max(slowestMillis, performance.now() - began)
      if (wrong !== null) breaches.push(`${wire.name}, seed ${effort.seed}, answer ${answers}: ${wrong}`)
      answers += 1
      if (answers % 1000 !== 0) continue
      effort.done(answers)
      await breathe()
      if (!effort.mayGoOn()) break
    }
    return { done: answers, breaches, figures: { wire: wire.name, answers, counts, slowestMillis } }
  },
  sum: (found, { isWhole, seed }) => {
    const of = (wire: Wire["name"]) => {
      const own = found.map(({ figures }) => figures).filter((each) => each.wire === wire)
      return {
        answers: own.reduce((sum, { answers }) => sum + answers, 0),
        ...own.map(({ counts }) => counts).reduce(add, noCounts()),
        slowestMillis: Math.max(0, ...own.map((each) => each.slowestMillis))
      }
    }
    const figures = { seed, REST: of("REST"), SOAP: of("SOAP") }
    // The answers are mutated so that each outcome is there often.
    const rare = [figures.REST, figures.SOAP].flatMap((each) =>
      (["accepted", "refused", "faulted"] as const).filter((tag) => each[tag] < each.answers / 1000)
    )
    return { figures, breaches: isWhole && rare.length > 0 ? [`too few answers are ${rare.join(", ")}`] : [] }
  },
  print: sentences
}
