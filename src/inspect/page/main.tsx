/** The live page of the inspector. It is read-only. */
import { render } from "preact"
import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import type { SeenNotice } from "../Recorder.js"
import { ChartView, NextView, stateOf } from "./chart.js"
import { LedgerView, SessionView } from "./ledger.js"
import { ListView } from "./list.js"
import { connect, initial, type Model, nameOf, nowMillis } from "./model.js"
import { TimelineView } from "./timeline.js"
import { moment } from "./words.js"

/** The number of transitions in the path that the chart lights. */
const pathLength = 12

const useModel = (): readonly [Model, (name: string) => void] => {
  const [model, setModel] = useState<Model>(() => {
    const linked = decodeURIComponent(location.hash.slice(1))
    return { ...initial, selected: /^[^/]+\/[^/]+$/.test(linked) ? linked : null }
  })
  const connection = useRef<ReturnType<typeof connect> | null>(null)
  useEffect(() => {
    connection.current = connect(setModel)
  }, [])
  // The page selects the first account by itself, without a click. Its records are loaded here.
  useEffect(() => {
    if (model.isLoaded && model.selected !== null && model.records === null)
      connection.current?.select(model.selected)
  }, [model.isLoaded, model.selected])
  return [model, (name) => connection.current?.select(name)]
}

/** The current time, updated each second: ages grow even if no record comes. */
const useNow = (model: Model): number => {
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 1000)
    return () => clearInterval(timer)
  }, [])
  return nowMillis(model)
}

const connectionWords = ({ connection, isLoaded, source, trouble }: Model): string =>
  !isLoaded
    ? "Connecting."
    : connection === "lost"
      ? "The connection is lost. The page shows the last known state, and tries to connect again."
      : (trouble ?? (source === "trace" ? "A trace: no new records come." : "Live."))

const NoticesView = ({
  notices,
  now,
  select
}: {
  readonly notices: ReadonlyArray<SeenNotice>
  readonly now: number
  readonly select: (name: string) => void
}) => (
  <section class="notices" aria-labelledby="notices">
    <h2 id="notices">Last notices</h2>
    {notices.length === 0 ? (
      <p class="quiet">There are no notices.</p>
    ) : (
      <ol tabIndex={0} aria-label="Last notices">
        {notices.slice(0, 20).map((notice) => (
          <li key={`${notice.location} ${notice.sequence} ${notice.kind}`}>
            <p>
              <time>{moment(notice.atMillis, now)}</time> <strong>{notice.kind}</strong>{" "}
              <button type="button" class="link" onClick={() => select(nameOf(notice))}>
                {notice.account}
              </button>
            </p>
            <p>{notice.message}</p>
          </li>
        ))}
      </ol>
    )}
  </section>
)

const AccountView = ({ model, now }: { readonly model: Model; readonly now: number }) => {
  const name = model.selected!
  const newest = model.accounts.get(name)!
  const [at, setAt] = useState<number | null>(null)
  const records = model.records ?? [newest]
  const index = Math.min(at ?? records.length - 1, records.length - 1)
  const record = records[index]!
  const isPast = at !== null && index < records.length - 1
  const path = useMemo(() => records.slice(Math.max(0, index + 1 - pathLength), index + 1), [records, index])
  const ofLocation = isPast ? record : model.locations.get(newest.location)!
  const clock = isPast ? record.atMillis : now
  const state = stateOf(record.to)
  const { abort } = record
  return (
    <>
      <section class={`standing ${record.to.split(".")[0]!}`} aria-labelledby="account">
        <h2 id="account">
          <code>{newest.account}</code> <small>at {newest.location}</small>
        </h2>
        <p class="now" aria-live="polite">
          <i class={`dot ${record.to.split(".")[0]!}`} aria-hidden="true" />
          <strong data-testid="state">{record.to}</strong>
          {isPast ? <span class="past"> as it was at {moment(record.atMillis, now)}</span> : null}
        </p>
        <p>{state.means}</p>
        {abort === null ? null : (
          <p class="abort">
            <strong>{abort.reason}</strong>: {abort.detail}
          </p>
        )}
        <p class="todo">
          <strong>What to do:</strong> {state.toDo}
        </p>
      </section>
      <section class="picture" aria-labelledby="chart-title">
        <h2 id="chart-title">Statechart</h2>
        <ChartView state={record.to} path={path} />
        <details>
          <summary>What can happen next</summary>
          <div class="wide" tabIndex={0} role="group" aria-label="What can happen next">
            <NextView state={record.to} />
          </div>
        </details>
      </section>
      <LedgerView
        record={ofLocation}
        own={record}
        sightings={model.attempts.get(newest.location)}
        now={clock}
      />
      <SessionView record={record} now={clock} />
      <TimelineView name={name} records={records} at={isPast ? index : null} show={setAt} now={now} />
    </>
  )
}

const App = () => {
  const [model, select] = useModel()
  const now = useNow(model)
  const { selected } = model
  useEffect(() => {
    if (selected !== null && model.isLoaded)
      history.replaceState(null, "", `#${encodeURIComponent(selected)}`)
  }, [selected, model.isLoaded])
  useEffect(() => {
    if (model.title !== "") document.title = `${model.title} · number-auth inspector`
  }, [model.title])
  return (
    <>
      <header>
        <h1>number-auth inspector</h1>
        <p>
          {model.title} <small class="readonly">read-only</small>
        </p>
        <p role="status" class={model.connection === "lost" || model.trouble !== null ? "warning" : "quiet"}>
          {connectionWords(model)}
        </p>
      </header>
      <div class="columns">
        <nav aria-label="Accounts">
          <ListView model={model} select={select} />
        </nav>
        <main>
          {selected === null || !model.accounts.has(selected) ? (
            <p class="quiet">
              {model.isLoaded
                ? "No account has been seen yet. It appears here with its first transition."
                : ""}
            </p>
          ) : (
            <AccountView key={selected} model={model} now={now} />
          )}
          <NoticesView notices={model.notices} now={now} select={select} />
        </main>
      </div>
    </>
  )
}

render(<App />, document.getElementById("page")!)
