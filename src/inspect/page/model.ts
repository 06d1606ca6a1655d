/** The model of the page, and its updates from the server. */
import type { Location } from "../../schemas/Credentials.js"
import type { TransitionRecord } from "../../schemas/TransitionRecord.js"
import { sight, type Sightings } from "../internal/sightings.js"
import type { SeenAttempt, SeenNotice } from "../Recorder.js"

export interface Model {
  /** Whether the first answer has come. */
  readonly isLoaded: boolean
  readonly title: string
  readonly source: "live" | "store" | "trace"
  readonly connection: "live" | "lost"
  /** The recorder's `trouble`: why no new record may come; null if all is well. */
  readonly trouble: string | null
  /** The newest record of each account, by its name. */
  readonly accounts: ReadonlyMap<string, TransitionRecord>
  /** The names, in the order of the list. */
  readonly names: ReadonlyArray<string>
  /** The newest record of each location. */
  readonly locations: ReadonlyMap<Location, TransitionRecord>
  readonly attempts: ReadonlyMap<Location, Sightings>
  readonly notices: ReadonlyArray<SeenNotice>
  readonly selected: string | null
  /** The records of the selected account, in the order of the transactions; null until they are loaded. */
  readonly records: ReadonlyArray<TransitionRecord> | null
  /** The offset from this browser's clock to the recorder's clock. The time of a trace stands still. */
  readonly clock: { readonly aheadMillis: number } | { readonly stoppedAtMillis: number }
}

export const nameOf = ({ account, location }: Pick<TransitionRecord, "account" | "location">): string =>
  `${location}/${account}`

export const initial: Model = {
  isLoaded: false,
  title: "",
  source: "live",
  connection: "lost",
  trouble: null,
  accounts: new Map(),
  names: [],
  locations: new Map(),
  attempts: new Map(),
  notices: [],
  selected: null,
  records: null,
  clock: { aheadMillis: 0 }
}

export const nowMillis = ({ clock }: Model): number =>
  "stoppedAtMillis" in clock ? clock.stoppedAtMillis : Date.now() + clock.aheadMillis

interface Accounts extends Pick<Model, "title" | "source" | "notices"> {
  readonly nowMillis: number
  readonly accounts: ReadonlyArray<TransitionRecord>
  readonly attempts: ReadonlyArray<SeenAttempt>
}

const newer = (one: TransitionRecord | undefined, other: TransitionRecord): TransitionRecord =>
  one === undefined || one.sequence < other.sequence ? other : one

const withAttempts = (
  attempts: Model["attempts"],
  seen: ReadonlyArray<SeenAttempt>
): ReadonlyMap<Location, Sightings> => {
  const all = new Map(attempts)
  for (const { location, ...sighting } of seen) {
    const ofLocation = all.get(location) ?? (new Map() as Sightings)
    ofLocation.set(sighting.attempt, sighting)
    all.set(location, ofLocation)
  }
  return all
}

const withAccounts = (
  model: Model,
  records: ReadonlyArray<TransitionRecord>
): Pick<Model, "accounts" | "names" | "locations" | "attempts"> => {
  const accounts = new Map(model.accounts)
  const locations = new Map(model.locations)
  const attempts = new Map(model.attempts)
  for (const record of records) {
    const name = nameOf(record)
    accounts.set(name, newer(accounts.get(name), record))
    locations.set(record.location, newer(locations.get(record.location), record))
    const ofLocation = attempts.get(record.location) ?? (new Map() as Sightings)
    sight(ofLocation, record)
    attempts.set(record.location, ofLocation)
  }
  const names = accounts.size === model.accounts.size ? model.names : [...accounts.keys()].sort()
  return { accounts, names, locations, attempts }
}

/** Takes the answer to `accounts`, at the start and after each reconnection. It replaces all accounts and locations. */
export const onAccounts = (model: Model, received: Accounts): Model => {
  const blank: Model = { ...model, accounts: new Map(), locations: new Map(), names: [] }
  const shown = withAccounts(
    { ...blank, attempts: withAttempts(model.attempts, received.attempts) },
    received.accounts
  )
  return {
    ...model,
    ...shown,
    isLoaded: true,
    title: received.title,
    source: received.source,
    notices: received.notices,
    clock:
      received.source === "trace"
        ? { stoppedAtMillis: received.nowMillis }
        : { aheadMillis: received.nowMillis - Date.now() },
    selected:
      model.selected !== null && shown.accounts.has(model.selected)
        ? model.selected
        : (shown.names[0] ?? null)
  }
}

export const onRecords = (model: Model, given: ReadonlyArray<TransitionRecord>): Model => {
  const shown = withAccounts(model, given)
  const own = given.filter((record) => nameOf(record) === model.selected)
  const noticed = given.flatMap(({ account, atMillis, location, notices, sequence }) =>
    notices.map((notice) => ({ ...notice, account, location, sequence, atMillis }))
  )
  return {
    ...model,
    ...shown,
    selected: model.selected ?? shown.names[0] ?? null,
    records: model.records === null || own.length === 0 ? model.records : merged(model.records, own),
    notices: noticed.length === 0 ? model.notices : [...noticed.reverse(), ...model.notices].slice(0, 100)
  }
}

/** The records of both lists: each transaction once, in the order of the transactions. */
const merged = (
  known: ReadonlyArray<TransitionRecord>,
  more: ReadonlyArray<TransitionRecord>
): ReadonlyArray<TransitionRecord> => {
  const last = known.at(-1)?.sequence ?? -1
  if (more.every(({ sequence }, index) => sequence > (more[index - 1]?.sequence ?? last)))
    return [...known, ...more]
  const all = new Map([...known, ...more].map((record) => [record.sequence, record]))
  return [...all.values()].sort((one, other) => one.sequence - other.sequence)
}

export const onHistory = (
  model: Model,
  name: string,
  received: {
    readonly records: ReadonlyArray<TransitionRecord>
    readonly attempts: ReadonlyArray<SeenAttempt>
  }
): Model =>
  // Another account may have been selected meanwhile. The newest record may be in the model and not in the answer.
  name === model.selected
    ? {
        ...model,
        records: merged(
          received.records,
          [model.accounts.get(name)].filter((record) => record !== undefined)
        ),
        attempts: withAttempts(model.attempts, received.attempts)
      }
    : model

export const queryOf = (name: string): string => {
  const [location, account] = name.split("/") as [string, string]
  return new URLSearchParams({ location, account }).toString()
}

const getJson = async <A>(path: string): Promise<A> => {
  const response = await fetch(path)
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return (await response.json()) as A
}

/**
 * Keeps the model up to date. The records that the server sends are collected and shown once per frame.
 */
export const connect = (
  change: (update: (model: Model) => Model) => void
): { readonly select: (name: string) => void } => {
  let waiting: Array<TransitionRecord> = []
  let isPlanned = false
  /** Whether the answer to `accounts` is awaited. Records that come meanwhile are added after it. */
  let isLoading = false
  const flush = (): void => {
    isPlanned = false
    if (isLoading || waiting.length === 0) return
    const given = waiting
    waiting = []
    change((model) => onRecords(model, given))
  }
  const plan = (): void => {
    if (isPlanned) return
    isPlanned = true
    // A page in the background has no frames.
    if (document.hidden) setTimeout(flush, 1000)
    else requestAnimationFrame(flush)
  }

  const select = (name: string): void => {
    change((model) =>
      name === model.selected && model.records !== null ? model : { ...model, selected: name, records: null }
    )
    getJson<{ records: ReadonlyArray<TransitionRecord>; attempts: ReadonlyArray<SeenAttempt> }>(
      `records?${queryOf(name)}`
    ).then(
      (received) => change((model) => onHistory(model, name, received)),
      () => change((model) => ({ ...model, connection: "lost" }))
    )
  }

  const load = (): void => {
    isLoading = true
    getJson<Accounts>("accounts").then(
      (received) => {
        isLoading = false
        let selected: string | null = null
        change((model) => {
          const next = { ...onAccounts(model, received), connection: "live" as const }
          selected = next.selected
          return next
        })
        flush()
        // Loads the records that the page missed while the connection was lost.
        if (selected !== null) select(selected)
      },
      () => {
        isLoading = false
        change((model) => ({ ...model, connection: "lost" }))
      }
    )
  }

  const events = new EventSource("events")
  events.addEventListener("open", load)
  events.addEventListener("error", () => change((model) => ({ ...model, connection: "lost" })))
  events.addEventListener("trouble", ({ data }: MessageEvent<string>) => {
    const trouble = JSON.parse(data) as string | null
    change((model) => ({ ...model, trouble }))
  })
  events.addEventListener("record", ({ data }: MessageEvent<string>) => {
    waiting.push(JSON.parse(data) as TransitionRecord)
    plan()
  })
  return { select }
}
