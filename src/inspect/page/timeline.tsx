/** The timeline of an account: its recorded transitions, and the buttons to go back and forward through them. */
import { useLayoutEffect, useRef, useState } from "preact/hooks"
import type { TransitionRecord } from "../../schemas/TransitionRecord.js"
import { queryOf } from "./model.js"
import { moment } from "./words.js"

/** The number of transitions that the list shows around the current one. */
const listed = 40

const eventWords = ({ events }: TransitionRecord): string =>
  events.length === 0 ? "seen" : events.map(({ type }) => type).join(", ")

export const wordsOf = (record: TransitionRecord): string =>
  record.from === record.to
    ? `${record.to}: ${eventWords(record)}`
    : `${record.from} to ${record.to}: ${eventWords(record)}`

const details = ({ abort, events, notices }: TransitionRecord): ReadonlyArray<string> => [
  ...events.flatMap(({ detail }) => (detail === undefined ? [] : [detail])),
  ...(events.length === 0 && abort !== null ? [`${abort.reason}: ${abort.detail}`] : []),
  ...notices.map(({ message }) => message)
]

const CopyView = ({ name, until }: { readonly name: string; readonly until: number | null }) => {
  const [copied, setCopied] = useState<{ readonly text: string; readonly diagram: string | null }>({
    text: "",
    diagram: null
  })
  const copy = async (): Promise<void> => {
    const path = `sequence?${queryOf(name)}${until === null ? "" : `&until=${until}`}`
    let diagram: string | null = null
    try {
      const response = await fetch(path)
      if (!response.ok) throw new Error(String(response.status))
      diagram = await response.text()
      await navigator.clipboard.writeText(diagram)
      setCopied({ text: "Copied, as a Mermaid sequence diagram.", diagram: null })
    } catch {
      // The browser may not allow copying here, as over plain HTTP from another machine.
      setCopied({
        text:
          diagram === null
            ? "The diagram could not be loaded."
            : "This browser does not let the page copy. Here is the diagram:",
        diagram
      })
    }
  }
  return (
    <div class="copy">
      <button type="button" onClick={() => void copy()}>
        Copy as sequence diagram
      </button>{" "}
      <a href="trace">Download the trace of all accounts</a>
      <p role="status">{copied.text}</p>
      {copied.diagram === null ? null : (
        <textarea
          readOnly
          rows={8}
          aria-label="Sequence diagram"
          value={copied.diagram}
          onFocus={({ currentTarget }) => currentTarget.select()}
        />
      )}
    </div>
  )
}

export const TimelineView = ({
  at,
  name,
  now,
  records,
  show
}: {
  readonly name: string
  readonly records: ReadonlyArray<TransitionRecord>
  /** The index of the record that is shown. Null: always the newest. */
  readonly at: number | null
  readonly show: (index: number | null) => void
  readonly now: number
}) => {
  const last = records.length - 1
  const index = at ?? last
  const shown = records[index]!
  const go = (to: number): void => show(Math.min(Math.max(to, 0), last))
  const from = Math.max(0, Math.min(index - listed / 2, records.length - listed))
  const part = records.slice(from, from + listed)
  const list = useRef<HTMLOListElement>(null)
  // Only the list scrolls, not the page.
  useLayoutEffect(() => {
    const item = list.current!.querySelector<HTMLElement>("[aria-current]")!
    list.current!.scrollTop = item.offsetTop - (list.current!.clientHeight - item.offsetHeight) / 2
  }, [index, records])
  return (
    <section class="timeline" aria-labelledby="timeline">
      <h2 id="timeline">
        Transitions <small>{records.length.toLocaleString("en")} recorded</small>
      </h2>
      <div class="travel">
        <button type="button" disabled={index === 0} onClick={() => go(0)}>
          First
        </button>
        <button type="button" disabled={index === 0} onClick={() => go(index - 1)}>
          Back
        </button>
        <button type="button" disabled={index === last} onClick={() => go(index + 1)}>
          Forward
        </button>
        <button type="button" aria-pressed={at === null} onClick={() => show(null)}>
          Newest
        </button>
        <label>
          <span>
            {index + 1} of {records.length}
          </span>
          <input
            type="range"
            min={0}
            max={last}
            value={index}
            aria-label="Transition that is shown"
            aria-valuetext={`${index + 1} of ${records.length}, ${moment(shown.atMillis, now)}, ${wordsOf(shown)}`}
            onInput={({ currentTarget }) => go(Number(currentTarget.value))}
          />
        </label>
      </div>
      <ol class="steps" start={from + 1} ref={list}>
        {part.map((record, offset) => (
          <li key={record.sequence} aria-current={from + offset === index ? "step" : undefined}>
            <button
              type="button"
              onClick={() => show(from + offset === last && at === null ? null : from + offset)}
            >
              <time>{moment(record.atMillis, now)}</time> <span>{wordsOf(record)}</span>
            </button>
            {from + offset === index ? details(record).map((text, line) => <p key={line}>{text}</p>) : null}
          </li>
        ))}
      </ol>
      <CopyView key={name} name={name} until={at === null ? null : shown.sequence} />
    </section>
  )
}
