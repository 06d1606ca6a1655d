/** The list of accounts. Only visible rows are in the document, so ten thousand accounts cost no more than thirty. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks"
import { type Model, nameOf } from "./model.js"

const rowHeight = 40

const stateCounts = ({ accounts }: Model): ReadonlyArray<readonly [string, number]> => {
  const counts = new Map<string, number>()
  for (const { to } of accounts.values()) counts.set(to, (counts.get(to) ?? 0) + 1)
  return [...counts].sort(([one], [other]) => (one < other ? -1 : 1))
}

/** The accounts that match a search. Each word must be in the name, the state or the reason of the abort. */
const matching = ({ accounts, names }: Model, search: string): ReadonlyArray<string> => {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return names
  return names.filter((name) => {
    const { abort, to } = accounts.get(name)!
    const text = `${name} ${to} ${abort?.reason ?? ""}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

export const ListView = ({
  model,
  select
}: {
  readonly model: Model
  readonly select: (name: string) => void
}) => {
  const [search, setSearch] = useState("")
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(rowHeight * 12)
  const box = useRef<HTMLDivElement>(null)
  const found = useMemo(() => matching(model, search), [model.accounts, model.names, search])
  const counts = useMemo(() => stateCounts(model), [model.accounts])
  const hasLocations = model.locations.size > 1
  const at = model.selected === null ? -1 : found.indexOf(model.selected)

  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => setHeight(box.current!.clientHeight))
    observer.observe(box.current!)
    return () => observer.disconnect()
  }, [])

  // Scrolls the selected row into view: the arrow keys can move the selection beyond the edge.
  useEffect(() => {
    const element = box.current!
    if (at < 0) return
    const row = at * rowHeight
    if (row < element.scrollTop) element.scrollTop = row
    else if (row + rowHeight > element.scrollTop + element.clientHeight) {
      element.scrollTop = row + rowHeight - element.clientHeight
    }
  }, [at])

  const move = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(height / rowHeight) - 1)
    const by: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: found.length - 1
    }
    const to = by[event.key]
    if (to === undefined || found.length === 0) return
    event.preventDefault()
    select(found[Math.min(Math.max(to, 0), found.length - 1)]!)
  }

  const first = Math.max(0, Math.floor(top / rowHeight) - 4)
  const last = Math.min(found.length, Math.ceil((top + height) / rowHeight) + 4)
  return (
    <section class="accounts" aria-labelledby="accounts">
      <h2 id="accounts">
        Accounts <small>{model.accounts.size.toLocaleString("en")}</small>
      </h2>
      <ul class="counts" aria-label="Accounts by state">
        {counts.map(([state, count]) => (
          <li key={state}>
            <button
              type="button"
              aria-pressed={search === state}
              onClick={() => setSearch(search === state ? "" : state)}
            >
              <i class={`dot ${state.split(".")[0]!}`} aria-hidden="true" /> {state}{" "}
              {count.toLocaleString("en")}
            </button>
          </li>
        ))}
      </ul>
      <label>
        Search
        <input
          type="search"
          value={search}
          placeholder="account, location, state, reason"
          onInput={({ currentTarget }) => {
            setSearch(currentTarget.value)
            box.current!.scrollTop = 0
          }}
        />
      </label>
      <p class="found" role="status">
        {search === "" ? "" : `${found.length.toLocaleString("en")} found`}
      </p>
      <div
        class="rows"
        ref={box}
        role="listbox"
        aria-label="Accounts"
        tabIndex={0}
        aria-activedescendant={at >= first && at < last ? `row-${at}` : undefined}
        onKeyDown={move}
        onScroll={({ currentTarget }) => setTop(currentTarget.scrollTop)}
      >
        {found.length === 0 ? (
          <div class="row nothing" role="option" aria-selected="false" aria-disabled="true">
            {model.accounts.size === 0 ? "No account yet." : "Nothing matches."}
          </div>
        ) : (
          <div role="presentation" style={{ height: `${found.length * rowHeight}px` }} class="all">
            {found.slice(first, last).map((name, index) => {
              const record = model.accounts.get(name)!
              return (
                <div
                  key={name}
                  id={`row-${first + index}`}
                  class="row"
                  role="option"
                  aria-selected={name === model.selected}
                  aria-setsize={found.length}
                  aria-posinset={first + index + 1}
                  style={{ top: `${(first + index) * rowHeight}px`, height: `${rowHeight}px` }}
                  onClick={() => select(nameOf(record))}
                >
                  <i class={`dot ${record.to.split(".")[0]!}`} aria-hidden="true" />
                  <span class="name">
                    <code>{record.account}</code>
                    {hasLocations ? <small>{record.location}</small> : null}
                  </span>
                  <span class="state">
                    {record.abort === null ? record.to : `${record.to}: ${record.abort.reason}`}
                  </span>
                </div>
              )
            })}
          </div>
        )}
      </div>
    </section>
  )
}
