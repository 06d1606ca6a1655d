/**
 * Records as a sequence diagram: the messages between accounts, store, Number and people.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import { countsForLocation } from "../machine/Ledger.js"
import type { RecordedEvent, TransitionRecord } from "../schemas/TransitionRecord.js"

/** Makes text safe in a line of Mermaid: it cannot end the line, begin a statement, or be an entity. */
const plain = (text: string): string =>
  text.replaceAll(/\s+/g, " ").replaceAll(/[#;]/g, (sign) => (sign === "#" ? "#35;" : "#59;"))

const lineOf = (account: string, event: RecordedEvent): ReadonlyArray<string> => {
  const attempt = event.attempt === undefined ? "" : ` ${event.attempt}`
  const session = event.generation === undefined ? "" : ` of generation ${event.generation}`
  const detail = event.detail === undefined ? "" : `: ${plain(event.detail)}`
  switch (event.type) {
    case "attempt.reserved":
      return [
        `${account}->>Store: attempt${attempt} is marked`,
        `${account}->>Number: Authenticate, attempt${attempt}`
      ]
    case "attempt.accepted":
    case "attempt.refused":
    case "attempt.faulted":
      return [
        `Number-->>${account}: attempt${attempt} ${event.type.slice("attempt.".length)}${detail}`,
        `${account}->>Store: attempt${attempt} is settled`
      ]
    case "attempt.lockedOut":
      return [
        `Number-->>${account}: attempt${attempt} met a lock of the IP${detail}`,
        `${account}->>Store: attempt${attempt} is settled`
      ]
    case "attempt.lost":
      return [`Number--x${account}: attempt${attempt} is lost${detail}`]
    case "attempt.unsent":
      return [`${account}->>Store: attempt${attempt} was never sent, its mark is removed`]
    case "attempt.resumed":
      return [`Person->>${account}: the next attempt may be made`]
    case "session.expired":
      return [`Note over ${account},Number: the session${session} expired`]
    case "session.unauthorized":
      return [`Number-->>${account}: 5050, the address changed, the session${session} is over`]
    case "session.unavailable":
      return [`Note over ${account}: this process has no key of the session${session}`]
    case "credentials.replaced":
      return [`Person->>${account}: another token`]
    case "credentials.barred":
      return [`Note over ${account}: the token is not sent${detail}`]
    default:
      return [`Note over ${account},Store: ${plain(event.type)}`]
  }
}

/**
 * Draws records as a Mermaid sequence diagram. The participants are each account, the store, Number, and people. Times
 * are UTC.
 *
 * @since 0.1.0
 * @category pictures
 */
export const toSequenceDiagram = (records: ReadonlyArray<TransitionRecord>): string => {
  const accounts = [...new Set(records.map(({ account }) => account as string))].sort()
  let shown = ""
  const lines = records.flatMap((record) => {
    const { account, events, from, limit, lockReported, marks, notices, to } = record
    const time = DateTime.formatIso(DateTime.unsafeMake(record.atMillis)).slice(0, 19).replace("T", " ")
    const when = time === shown ? [] : [`Note left of ${accounts[0]}: ${time}`]
    shown = time
    const room = `${marks.filter(countsForLocation).length} of ${limit} places taken${lockReported ? ", Number reports a lock" : ""}`
    return [
      ...when,
      ...events.flatMap((event) => lineOf(account, event)),
      `Note over ${account}: ${from === to ? to : `${from} to ${to}`}, ${room}`,
      ...notices.map(({ kind, message }) => `${account}->>Person: ${kind}: ${plain(message)}`)
    ]
  })
  return [
    "sequenceDiagram",
    ...[
      ...accounts.map((account) => `participant ${account}`),
      "participant Store",
      "participant Number",
      "actor Person",
      ...lines
    ].map((line) => `  ${line}`),
    ""
  ].join("\n")
}
