/**
 * A path through the world as a Mermaid sequence diagram, for people.
 */
import type { Event, WorldModel } from "./WorldModel.js"

const accountName = (account: number): string => (account === 0 ? "A" : "B")

interface Message {
  readonly from: string
  readonly to: string
  /** `-x`: the message does not arrive. */
  readonly arrow: "->>" | "-->>" | "-x"
  readonly text: string
}

/**
 * Draws the states of a walk as a Mermaid sequence diagram: one process for each attempt, the store, Number, and
 * people. GitHub shows such diagrams.
 *
 * @since 0.1.0
 * @category drawing
 */
export const toSequenceDiagram = (model: WorldModel, path: ReadonlyArray<string>): string => {
  const events = model.retrace(path)
  // Attempts are numbered in the order in which they were reserved, and each has a process of its own.
  const attempts: Array<number> = []
  for (const { event } of events) {
    if ("attempt" in event && !attempts.includes(event.attempt)) {
      if (event.type !== "request" || event.decision === "send") attempts.push(event.attempt)
    }
  }
  const nameOf = (attempt: number): number => attempts.indexOf(attempt) + 1
  const process = (attempt: number): string => `P${nameOf(attempt)}`

  const lines = (event: Event): ReadonlyArray<Message | string> => {
    const account = "account" in event ? accountName(event.account) : ""
    switch (event.type) {
      case "request": {
        const isSent = event.decision === "send"
        const from = isSent ? process(event.attempt) : "Other"
        const asks: Message = {
          from,
          to: "Store",
          arrow: "->>",
          text: `account ${account} needs a session (token ${event.token + 1})`
        }
        const text = isSent ? `attempt ${nameOf(event.attempt)} is marked, send it` : event.decision
        return [
          asks,
          { from: "Store", to: from, arrow: event.isConfirmed ? "-->>" : "-x", text },
          ...(isSent && event.isConfirmed
            ? [
                {
                  from,
                  to: "Number",
                  arrow: "->>",
                  text: `Authenticate, attempt ${nameOf(event.attempt)}`
                } as const
              ]
            : [])
        ]
      }
      case "crash":
        return [`Note over ${process(event.attempt)}: stops for good`]
      case "work":
        return [
          `Note over Number: attempt ${nameOf(event.attempt)} of account ${account} ${event.answer}${event.isBefore ? ", from the old address" : ""}`
        ]
      case "end": {
        const text = `attempt ${nameOf(event.attempt)} ${event.end}${event.isRepeated ? " (again)" : ""}`
        const stores: Message = { from: process(event.attempt), to: "Store", arrow: "->>", text }
        const answer: ReadonlyArray<Message> =
          event.isRepeated || event.end === "lost" || event.end === "unsent"
            ? []
            : [{ from: "Number", to: process(event.attempt), arrow: "-->>", text: event.end }]
        const confirmation: ReadonlyArray<Message> = event.isConfirmed
          ? []
          : [{ from: "Store", to: process(event.attempt), arrow: "-x", text: "stored" }]
        return [...answer, stores, ...confirmation]
      }
      case "withdraw":
        return [
          {
            from: process(event.attempt),
            to: "Store",
            arrow: "->>",
            text: `gives attempt ${nameOf(event.attempt)} back`
          }
        ]
      case "leaseEnds":
      case "drainEnds": {
        const period = event.type === "leaseEnds" ? "lease" : "drain"
        return [
          `Note over Store: the ${period} of attempt ${nameOf(event.attempt)} is over, account ${accountName(event.observer)} notes it`
        ]
      }
      case "observe":
        return [`Note over Store: account ${account} catches up`]
      case "resume":
        return [{ from: "Person", to: "Store", arrow: "->>", text: `resume account ${account}` }]
      case "replace":
        return [
          {
            from: "Person",
            to: "Store",
            arrow: "->>",
            text: `account ${account} gets token ${event.token + 1}`
          }
        ]
      case "lift":
        return [{ from: "Person", to: "Number", arrow: "->>", text: "support sets the count to zero" }]
      case "confirmLifted":
        return [
          {
            from: "Person",
            to: "Store",
            arrow: "->>",
            text: `the lock was lifted (said for account ${account})`
          }
        ]
      case "refuseSession": {
        const session = event.isElsewhere ? "an older session" : "the session"
        return [
          {
            from: "Other",
            to: "Store",
            arrow: "->>",
            text: `Number refused ${session} of ${account}: ${event.code}`
          }
        ]
      }
      case "keyMissing":
        return [
          {
            from: "Other",
            to: "Store",
            arrow: "->>",
            text: `the key of the session of ${account} is not here`
          }
        ]
      case "sessionsAge":
        return [`Note over Number: the sessions of ${account} have served for long`]
      case "moveAddress":
        return ["Note over Number: the location gets another address"]
    }
  }

  const drawn: Array<string> = []
  let last = 0
  for (const { count, event } of events) {
    for (const line of lines(event)) {
      drawn.push(typeof line === "string" ? line : `${line.from}${line.arrow}${line.to}: ${line.text}`)
    }
    if (count !== last) drawn.push(`Note over Number: count ${count} of ${model.options.limit}`)
    last = count
  }
  const participants = [
    ...attempts.map((attempt) => `participant ${process(attempt)} as Process ${nameOf(attempt)}`),
    "participant Other as Any process",
    "participant Store",
    "participant Number",
    "actor Person"
  ]
  return ["sequenceDiagram", ...[...participants, ...drawn].map((line) => `  ${line}`)].join("\n")
}
