/**
 * The checks of `number-auth doctor`. They cover all that a login needs. They make no attempt, send nothing to Number,
 * and change nothing in the store.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Net from "node:net"
import * as Path from "node:path"
import * as Tls from "node:tls"
import { makeAuthCore, type Step } from "../machine/AuthCore.js"
import * as Ledger from "../machine/Ledger.js"
import type { Policy } from "../machine/Policy.js"
import { decodeToken, type Fingerprint } from "../schemas/Credentials.js"
import { Claim, type Mark } from "../schemas/StoredRecord.js"
import { abortedMessage, lockedMessage, type Standing } from "../services/session/AuthError.js"
import { AuthStoreError } from "../services/store/AuthStoreError.js"
import { configuredKeys } from "../services/store/SqlStore.js"
import { standingOf, stepThrough } from "../services/session/internal/accountLedger.js"
import { decodeLocationSettings } from "../services/session/internal/settings.js"
import { fingerprintOf } from "../services/session/internal/fingerprint.js"
import { type Inspection, newStore } from "../services/store/sql/readOnly.js"
import { transportFailure } from "../services/wire/http/fate.js"
import { loadPgStore } from "../services/store/Store.js"
import { shownStore } from "../services/store/storeTarget.js"
import * as SqliteStore from "../services/store/SqliteStore.js"
import { ExitCode, exitCodeOf } from "./ExitCode.js"
import type { InvalidSetting } from "./InvalidSetting.js"
import type { Check } from "./ProblemsFound.js"
import type { Settings } from "./Settings.js"

/**
 * The result of a check, with its exit code.
 *
 * @since 0.1.0
 * @category models
 */
export interface Finding extends Check {
  readonly exitCode: ExitCode
}

const ok = (check: Check["check"], detail: string): Finding => ({
  check,
  result: "ok",
  detail,
  todo: null,
  exitCode: ExitCode.done
})

const warn = (check: Check["check"], detail: string, todo: string): Finding => ({
  check,
  result: "warn",
  detail,
  todo,
  exitCode: ExitCode.done
})

const bad = (check: Check["check"], exitCode: ExitCode, detail: string, todo: string): Finding => ({
  check,
  result: "bad",
  detail,
  todo,
  exitCode
})

/**
 * A setting that is missing or malformed, as a finding.
 *
 * @since 0.1.0
 * @category checks
 */
export const settingFinding = (check: "settings" | "token", error: InvalidSetting): Finding =>
  bad(
    check,
    ExitCode.settings,
    `${error.setting} ${error.problem === "missing" ? "is not set" : "is malformed"}`,
    `Set it${error.flag === null ? "" : ` (or ${error.flag})`} to ${error.expected}.`
  )

// -----------------------------------------------------------------------------
// the store
// -----------------------------------------------------------------------------

const octal = (mode: number): string => `0${(mode & 0o777).toString(8)}`

/** Warns of store files that other users than their owner may access. A missing file is ignored. */
const checkFiles = (filename: string): Effect.Effect<Finding, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const modeOf = (path: string) =>
      Effect.option(Effect.map(fs.stat(path), ({ mode }) => ({ path, mode: mode & 0o777 })))
    if (process.platform === "win32") return ok("files", "Not checked: Windows has no file modes.")
    const names = ["", "-wal", "-shm", ".key"].map((end) => `${filename}${end}`)
    const seen = (yield* Effect.forEach(names, modeOf)).flatMap(Option.toArray)
    const folder = Option.toArray(yield* modeOf(Path.dirname(filename)))
    const open = [
      ...seen.filter(({ mode }) => (mode & 0o077) !== 0),
      // A user that may write to the folder can replace the store's file.
      ...folder.filter(({ mode }) => (mode & 0o022) !== 0)
    ]
    const [first] = open
    if (first === undefined) {
      return ok("files", seen.length === 0 ? "No files yet." : `${seen.length} files, for their owner only.`)
    }
    const list = open.map(({ mode, path }) => `${path} (${octal(mode)})`).join(", ")
    return warn(
      "files",
      `Users other than the owner can access: ${list}. The files hold the location's count and sealed session keys.`,
      `chmod 600 the files and 700 the folder.`
    )
  })

/** Reads the store. If its file does not exist yet, checks that this user can create it. */
const lookAtStore = (settings: Settings): Effect.Effect<Inspection, AuthStoreError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const { store } = settings
    if (store._tag === "postgres")
      return yield* Effect.flatMap(loadPgStore, (PgStore) => PgStore.inspect(store, settings))
    const fs = yield* FileSystem.FileSystem
    const misconfigured = (detail: string) => new AuthStoreError({ reason: "misconfigured", detail })
    if (yield* Effect.orElseSucceed(fs.exists(store.filename), () => false)) {
      yield* Effect.mapError(fs.access(store.filename, { readable: true, writable: true }), () =>
        misconfigured(`this user may not read and write ${store.filename}`)
      )
      return yield* SqliteStore.inspect(store, settings)
    }
    // The first command that needs the file creates it and its folders, below the nearest folder that exists.
    let folder = Path.dirname(store.filename)
    while (
      !(yield* Effect.orElseSucceed(fs.exists(folder), () => false)) &&
      folder !== Path.dirname(folder)
    ) {
      folder = Path.dirname(folder)
    }
    const isFolder = Effect.map(fs.stat(folder), ({ type }) => type === "Directory")
    yield* Effect.filterOrFail(
      Effect.orElseSucceed(Effect.zipLeft(isFolder, fs.access(folder, { writable: true })), () => false),
      (may) => may,
      () => misconfigured(`${store.filename} cannot be made: this user may not write to ${folder}`)
    )
    return newStore(yield* Clock.currentTimeMillis)
  })

const checkStore = (settings: Settings, inspection: Inspection): Finding =>
  inspection.isNew
    ? warn(
        "store",
        `${shownStore(settings.store)} can be used. It is new: it has no record of any attempt.`,
        "This is right for a first login. If this location has authenticated before, this is the wrong store, or the right one was deleted. Then the count is not known: ask Number's support to reset it first."
      )
    : ok("store", `${shownStore(settings.store)} can be read, and its records are intact.`)

/** The store keys that a login would have. */
const keysAtHand = ({ store }: Settings) =>
  store._tag === "postgres"
    ? Effect.flatMap(loadPgStore, (PgStore) => PgStore.keys({}))
    : SqliteStore.keys(store)

const checkKey = (
  settings: Settings,
  inspection: Inspection
): Effect.Effect<Finding, never, FileSystem.FileSystem> =>
  Effect.match(Effect.all([keysAtHand(settings), configuredKeys]), {
    onFailure: (error) =>
      bad(
        "key",
        exitCodeOf(error),
        `The store's keys cannot be used: ${error.detail}.`,
        `${error.advice ?? "Set NUMBER_STORE_KEY to the base64 of 32 random bytes, as openssl rand -base64 32 prints them"}.`
      ),
    onSuccess: ([{ current, older }, configured]) => {
      const ids = [...Option.toArray(current), ...older].map(({ id }) => id)
      const isMissing = (id: string): boolean => !ids.includes(id)
      const own = inspection.sealedUnder.find(isMissing)
      // Without any key a login would create one, but not while the store holds secrets sealed under a lost key.
      const wanted = own ?? (Option.isNone(current) ? inspection.sealedInAll.find(isMissing) : undefined)
      if (wanted !== undefined) {
        return bad(
          "key",
          ExitCode.personNeeded,
          `The stored secrets of ${own === undefined ? "other accounts" : "this account"} are sealed under the store key with id ${wanted}, which is missing (available: ${ids.join(", ") || "none"}).`,
          "Supply it as NUMBER_STORE_KEY or NUMBER_STORE_KEY_OLD. If it is lost, number-auth rekey --discard deletes the secrets that are sealed under it."
        )
      }
      if (Option.isSome(configured.current)) return ok("key", "NUMBER_STORE_KEY seals session keys.")
      return settings.store._tag === "sqlite"
        ? ok(
            "key",
            Option.isSome(current)
              ? "The key file beside the store seals session keys."
              : "There is no key yet. It is made with the store."
          )
        : warn(
            "key",
            "NUMBER_STORE_KEY is not set: session keys are not stored, so each process makes an attempt of its own.",
            "Set it to the base64 of 32 random bytes in every process that uses the store."
          )
    }
  })

/** The greatest harmless difference. Beyond it, the times in the logs of host and database do not match. */
const clockToleranceMillis = 60_000

const checkClock = ({ clockAheadMillis }: Inspection): Finding => {
  if (clockAheadMillis === null) return ok("clock", "The store and this process use the same clock.")
  const detail = `The database's clock is ${Math.abs(clockAheadMillis)} ms ${clockAheadMillis < 0 ? "behind" : "ahead of"} this host's.`
  return Math.abs(clockAheadMillis) <= clockToleranceMillis
    ? ok("clock", detail)
    : warn(
        "clock",
        `${detail} The count and the sessions use the database's clock, so they are right. Logs and certificates use this host's clock.`,
        "Set the clocks by NTP."
      )
}

// -----------------------------------------------------------------------------
// the network
// -----------------------------------------------------------------------------

/** Opens a connection, with TLS if the URL is https, and closes it again. No byte of HTTP is written. */
const connect = (url: URL): Effect.Effect<void, unknown> =>
  Effect.async((resume) => {
    const host = url.hostname.replace(/^\[|\]$/g, "")
    const isTls = url.protocol === "https:"
    const port = Number(url.port === "" ? (isTls ? 443 : 80) : url.port)
    const socket = isTls
      ? Tls.connect({ host, port, ...(Net.isIP(host) === 0 ? { servername: host } : {}) })
      : Net.connect({ host, port })
    socket.once(isTls ? "secureConnect" : "connect", () => {
      socket.destroy()
      resume(Effect.void)
    })
    socket.once("error", (error) => resume(Effect.fail(error)))
    return Effect.sync(() => socket.destroy())
  })

const checkNetwork = ({ baseUrl }: Settings): Effect.Effect<Finding> => {
  const url = new URL(baseUrl)
  const unreachable = (why: string) =>
    bad(
      "network",
      ExitCode.tryLater,
      `${url.origin} cannot be reached: ${why}. An attempt would not be sent, and would not count.`,
      "Check the network, the firewall and NUMBER_BASE_URL."
    )
  return connect(url).pipe(
    Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => "timeout" as const }),
    Effect.match({
      onSuccess: () =>
        ok(
          "network",
          `${url.origin} accepts a connection${url.protocol === "https:" ? ", and its certificate is good" : ""}. Nothing was sent.`
        ),
      onFailure: (error) =>
        unreachable(error === "timeout" ? "no answer within 10 seconds" : transportFailure(error).code)
    })
  )
}

// -----------------------------------------------------------------------------
// ledger, account and token
// -----------------------------------------------------------------------------

const iso = (millis: number): string => DateTime.formatIso(DateTime.unsafeMake(millis))

const markText = (mark: Mark): string => {
  const whose = `attempt ${mark.attempt} of ${mark.account}`
  switch (mark.status) {
    case "inFlight":
      return `${whose} is under way, until ${iso(mark.leaseEndsAtMillis)} at most`
    case "lost":
      return `${whose} got no answer from Number itself, and Number may work on it until ${iso(mark.drainsAtMillis)}`
    case "settled":
      return `${whose} was ${mark.reason}${mark.clearedForLocation ? ", and counts for the account only" : ""}`
  }
}

const checkLedger = (step: Step, standing: Standing): Finding => {
  const { ledger } = step
  const { location } = Ledger.counts(ledger, standing.account)
  const count = `Location ${standing.location} stands at ${standing.failures} of ${standing.limit} unsuccessful attempts in a row, ${location.inFlight} under way.`
  const detail = [count, ...ledger.marks.map((mark) => `${markText(mark)}.`)].join(" ")
  const isReported = ledger.lockReportedAt !== null
  if (isReported || standing.failures >= standing.limit) {
    return bad(
      "ledger",
      ExitCode.personNeeded,
      `${detail} ${lockedMessage(standing, isReported)}`,
      "Only after Number's support has lifted the lock and reset the count: run number-auth lock-lifted."
    )
  }
  return standing.failures === 0
    ? ok("ledger", detail)
    : warn(
        "ledger",
        detail,
        `${standing.limit - standing.failures} more in a row stop the location. Find out why the attempts failed. The next success clears the failures before it.`
      )
}

const noToken = "0".repeat(64) as Fingerprint

const checkAccount = (
  step: Step,
  standing: Standing,
  before: Inspection["account"],
  isUnavailable: boolean
): Finding => {
  const { decision } = step
  const { session } = step.context
  switch (decision._tag) {
    case "held":
      return ok(
        "account",
        `A session is held, until ${iso(session!.expiresAtMillis)}. The next login makes no attempt.`
      )
    case "aborted":
      return bad(
        "account",
        ExitCode.personNeeded,
        abortedMessage(standing, decision.abort),
        ["refused", "barred"].includes(decision.abort.reason)
          ? "Create a new token in the Client Admin Portal and supply it. No command is needed."
          : decision.abort.reason === "expired"
            ? "Supply a new token. If Number has renewed this one, run number-auth resume."
            : "Find the reason and correct it. Then run number-auth resume."
      )
    case "locked":
      return bad(
        "account",
        ExitCode.personNeeded,
        "The location is locked: no attempt is made for this account.",
        "See the check of the ledger."
      )
    case "wait":
      return warn(
        "account",
        decision.on === "attempt"
          ? "Another process's attempt for this account is under way."
          : "Attempts under way leave no room for another at the moment.",
        "Nothing to do: the next login waits for it."
      )
    default:
      if (isUnavailable) {
        return ok(
          "account",
          "A session is held by another process, and its key is not in the store. The next login makes one attempt."
        )
      }
      return before.state === "aborted"
        ? ok(
            "account",
            "The account was aborted, and the supplied token is another one. The next login tries it, once."
          )
        : ok("account", "No session is held. The next login makes one attempt.")
  }
}

const checkToken = (
  fingerprint: Fingerprint,
  { account: { context } }: Inspection,
  nowMillis: number,
  policy: Policy
): Finding => {
  if (context.refusedFingerprints.includes(fingerprint)) {
    return bad(
      "token",
      ExitCode.personNeeded,
      "Number refused the supplied token. It is never sent again.",
      "Create a new token in the Client Admin Portal and supply it."
    )
  }
  const { tokenEnd } = context
  if (tokenEnd === null || tokenEnd.fingerprint !== fingerprint) {
    return ok("token", "The supplied token is well-formed. Its end is known after its first login.")
  }
  const detail = `The supplied token ends ${iso(tokenEnd.atMillis)}, as Number said at its last login.`
  if (tokenEnd.atMillis <= nowMillis) {
    return bad(
      "token",
      ExitCode.personNeeded,
      detail,
      "Create a new token in the Client Admin Portal and supply it. If Number has renewed this one, run number-auth resume."
    )
  }
  return tokenEnd.atMillis - nowMillis <= policy.tokenWarningMillis
    ? warn("token", detail, "Create a new token in the Client Admin Portal and supply it before then.")
    : ok("token", detail)
}

// -----------------------------------------------------------------------------
// all of it
// -----------------------------------------------------------------------------

const storeFinding = (settings: Settings, error: AuthStoreError): Finding =>
  bad("store", exitCodeOf(error), `${shownStore(settings.store)}: ${error.detail}`, error.message)

/**
 * Makes all checks. `token` is the supplied token, or the error of reading it.
 *
 * @since 0.1.0
 * @category checks
 */
export const examine = (
  settings: Settings,
  token: Either.Either<Redacted.Redacted, InvalidSetting>
): Effect.Effect<ReadonlyArray<Finding>, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const { account, attemptTimeout, limit, location, store } = settings
    const { policy } = yield* Effect.orDie(decodeLocationSettings({ attemptTimeout, limit, location }))
    const ofSettings = ok(
      "settings",
      `Account ${account} at location ${location}, limit ${limit}, at most ${Duration.format(attemptTimeout)} for each attempt.`
    )
    // The files are checked before the store is opened: opening makes SQLite create its shared-memory file.
    const files = store._tag === "sqlite" ? [yield* checkFiles(store.filename)] : []
    const [looked, network] = yield* Effect.all(
      [Effect.either(lookAtStore(settings)), checkNetwork(settings)],
      { concurrency: "unbounded" }
    )
    const malformed = Either.isLeft(token) ? [settingFinding("token", token.left)] : []
    if (Either.isLeft(looked)) {
      const formOk = Either.isRight(token)
        ? [ok("token", "The supplied token is well-formed. Only the store knows whether it was refused.")]
        : malformed
      return [ofSettings, ...formOk, storeFinding(settings, looked.left), ...files, network]
    }
    const inspection = looked.right
    const fingerprint = Option.map(
      Option.flatMap(Either.getRight(token), (text) => Either.getRight(decodeToken(Redacted.value(text)))),
      (decoded) => fingerprintOf(account, decoded)
    )
    // The step that the next login would make. Its result is not stored.
    const { session } = inspection.account.context
    const isUnavailable = session !== null && !inspection.isKeyStored
    const { nowMillis, sequence } = inspection.moment
    const step = stepThrough(
      makeAuthCore(policy),
      account,
      {
        ledger: inspection.ledger,
        moment: { nowMillis, sequence: sequence + 1 },
        account: { ...inspection.account, hasKey: inspection.isKeyStored }
      },
      [
        {
          type: "request",
          fingerprint: Option.getOrElse(
            fingerprint,
            () => inspection.account.context.abort?.fingerprint ?? noToken
          ),
          claim: Claim.make("0".repeat(24))
        }
      ]
    )
    // The ledger is reported without the mark that this login would add.
    const aged = { ...step, ledger: Ledger.age(inspection.ledger, inspection.moment, policy) }
    const standing = standingOf({ account, location, policy }, aged.ledger)
    return [
      ofSettings,
      ...Option.match(fingerprint, {
        onNone: () => malformed,
        onSome: (known) => [checkToken(known, inspection, nowMillis, policy)]
      }),
      checkStore(settings, inspection),
      ...files,
      yield* checkKey(settings, inspection),
      checkClock(inspection),
      network,
      checkLedger(aged, standing),
      checkAccount(step, standing, inspection.account, isUnavailable)
    ]
  })

/**
 * The exit code of all findings together. Settings come first, since without them the rest may be wrong. Findings that
 * need a person come second, and findings that may pass by themselves third.
 *
 * @since 0.1.0
 * @category checks
 */
export const exitCodeOfFindings = (findings: ReadonlyArray<Finding>): ExitCode =>
  [ExitCode.settings, ExitCode.personNeeded, ExitCode.tryLater].find((code) =>
    findings.some(({ exitCode }) => exitCode === code)
  ) ?? ExitCode.done

/**
 * The findings as text for people: a line for each, with the advice below it.
 *
 * @since 0.1.0
 * @category text
 */
export const findingsText = (findings: ReadonlyArray<Finding>): string =>
  findings
    .flatMap(({ check, detail, result, todo }) => [
      `${result.padEnd(4)}  ${check.padEnd(8)}  ${detail}`,
      ...(todo === null ? [] : [`                ${result === "bad" ? "To do: " : "Note: "}${todo}`])
    ])
    .join("\n")
