/** The ledger of a location: its six places and its marks. The sixth place can never fill. */
import { countsForLocation } from "../../machine/Ledger.js"
import type { Mark } from "../../schemas/StoredRecord.js"
import type { TransitionRecord } from "../../schemas/TransitionRecord.js"
import type { Sightings } from "../internal/sightings.js"
import { markFate, markKind, moment, span } from "./words.js"

/** Number locks at the sixth. */
const places = [1, 2, 3, 4, 5, 6] as const

const Place = ({
  limit,
  mark,
  place
}: {
  readonly place: number
  readonly limit: number
  readonly mark: Mark | undefined
}) => {
  const [kind, text] =
    place === 6
      ? (["never", "Number locks here: it never fills"] as const)
      : mark !== undefined
        ? ([
            mark.status === "settled" ? mark.reason : mark.status,
            `${markKind(mark)}, ${mark.account}`
          ] as const)
        : place > limit
          ? (["never", "beyond the limit: it never fills"] as const)
          : (["free", "free"] as const)
  return (
    <li class={`place ${kind}`}>
      <b>{place}</b>
      <span>{text}</span>
    </li>
  )
}

const byAttempt = (one: Mark, other: Mark): number => one.attempt - other.attempt

export const LedgerView = ({
  now,
  record,
  sightings,
  own
}: {
  /** The record with the location's ledger at the moment that is shown. */
  readonly record: TransitionRecord
  /** The record of the account at that moment. */
  readonly own: TransitionRecord
  readonly sightings: Sightings | undefined
  readonly now: number
}) => {
  const counted = record.marks.filter(countsForLocation).sort(byAttempt)
  const extra = own.marks.filter(
    (mark) => mark.account === own.account && !counted.some(({ attempt }) => attempt === mark.attempt)
  )
  const age = ({ attempt }: Mark): string => {
    const seen = sightings?.get(attempt)
    if (seen === undefined || seen.atMillis > now) return "not known"
    const old = span(now - seen.atMillis)
    return seen.isReservation ? old : `at least ${old}`
  }
  return (
    <section class="ledger" aria-labelledby="ledger">
      <h2 id="ledger">
        Ledger of location <code>{record.location}</code>
      </h2>
      <p>
        <strong>
          {counted.length} of {record.limit}
        </strong>{" "}
        places taken.{" "}
        {record.lockReported ? (
          <strong>Number reports the location as locked.</strong>
        ) : counted.length >= record.limit ? (
          "No attempt is made until a mark is cleared."
        ) : (
          ""
        )}
      </p>
      <ol class="places" aria-label="Places of the ledger">
        {places.map((place) => (
          <Place key={place} place={place} limit={record.limit} mark={counted[place - 1]} />
        ))}
      </ol>
      {counted.length + extra.length === 0 ? (
        <p class="quiet">No marks.</p>
      ) : (
        <div class="wide" tabIndex={0} role="group" aria-label="Marks">
          <table>
            <caption>Marks</caption>
            <thead>
              <tr>
                <th scope="col">attempt</th>
                <th scope="col">account</th>
                <th scope="col">kind</th>
                <th scope="col">age</th>
                <th scope="col">what happens next</th>
              </tr>
            </thead>
            <tbody>
              {[...counted, ...extra].map((mark) => (
                <tr key={mark.attempt}>
                  <td>{mark.attempt}</td>
                  <td>
                    <code>{mark.account}</code>
                  </td>
                  <td>{markKind(mark)}</td>
                  <td>{age(mark)}</td>
                  <td>{markFate(mark, now)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

const hours = 3_600_000

/** The time that is left of the session, the token and the lease. */
export const SessionView = ({ now, record }: { readonly record: TransitionRecord; readonly now: number }) => {
  const { session, tokenEndsAtMillis } = record
  const lease = record.marks.find(({ attempt }) => attempt === record.attempt)
  const leaseLeft = lease?.status === "inFlight" ? lease.leaseEndsAtMillis - now : null
  const tokenDays = tokenEndsAtMillis === null ? null : Math.floor((tokenEndsAtMillis - now) / (24 * hours))
  return (
    <section class="session" aria-labelledby="session">
      <h2 id="session">Session, token, lease</h2>
      <dl>
        <dt>Session</dt>
        <dd>
          {session === null ? (
            "none"
          ) : (
            <>
              {span(Math.max(0, now - session.obtainedAtMillis))} old of{" "}
              {span(session.expiresAtMillis - session.obtainedAtMillis)}
              <meter
                aria-label="Age of the session"
                min={0}
                max={session.expiresAtMillis - session.obtainedAtMillis}
                high={session.expiresAtMillis - session.obtainedAtMillis - hours}
                value={Math.min(
                  Math.max(0, now - session.obtainedAtMillis),
                  session.expiresAtMillis - session.obtainedAtMillis
                )}
              />
              <small>
                generation {session.generation}, ends {moment(session.expiresAtMillis, now)}
              </small>
            </>
          )}
        </dd>
        <dt>Token</dt>
        <dd class={tokenDays !== null && tokenDays < 30 ? "warning" : ""}>
          {tokenEndsAtMillis === null || tokenDays === null
            ? "its end is not known"
            : tokenDays < 0
              ? `ended ${span(now - tokenEndsAtMillis)} ago`
              : `${tokenDays.toLocaleString("en")} ${tokenDays === 1 ? "day" : "days"} left`}
          {tokenEndsAtMillis === null ? null : <small>ends {moment(tokenEndsAtMillis, now)}</small>}
        </dd>
        <dt>Lease</dt>
        <dd>
          {record.attempt === null
            ? "no attempt is under way"
            : leaseLeft === null
              ? `attempt ${record.attempt} is under way`
              : leaseLeft > 0
                ? `attempt ${record.attempt}: ends in ${span(leaseLeft)}`
                : `attempt ${record.attempt}: ran out ${span(leaseLeft)} ago`}
        </dd>
      </dl>
    </section>
  )
}
