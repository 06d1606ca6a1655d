/**
 * One run of the chart, over one event.
 */
import * as Schema from "effect/Schema"
import { transition } from "xstate"
import type { AccountCode } from "../../schemas/Credentials.js"
import { StateName } from "../../schemas/StoredRecord.js"
import type { AuthEvent } from "../AuthEvent.js"
import type { AuthMachine } from "../AuthMachine.js"
import type { Moment } from "../Ledger.js"
import { Notice } from "../Notice.js"
import type { Policy } from "../Policy.js"
import type { Step } from "../Step.js"

/** The inputs of a step: the chart and its policy, the account, and the moment of the transaction. */
export interface Given {
  readonly machine: AuthMachine
  readonly policy: Policy
  readonly account: AccountCode
  readonly moment: Moment
}

const decodeNotice = Schema.decodeUnknownSync(Schema.Struct({ notice: Notice }))
const decodeStateName = Schema.decodeUnknownSync(StateName)

const nameOf = (value: string | object): StateName =>
  decodeStateName(typeof value === "string" ? value : Object.entries(value)[0]!.join("."))

const valueOf = (name: StateName): string | Record<string, string> => {
  const [state, child] = name.split(".") as [string, string | undefined]
  return child === undefined ? state : { [state]: child }
}

/** The step after an event, and whether the chart sends an attempt. */
export const fire = (
  { machine }: Given,
  step: Step,
  event: AuthEvent
): { readonly step: Step; readonly sends: boolean } => {
  const snapshot = machine.resolveState({ value: valueOf(step.state), context: step.context })
  const [next, actions] = transition(machine, snapshot, event)
  const notices = actions
    .filter(({ type }) => type === "notify")
    .map(({ params }) => decodeNotice(params).notice)
  const state = nameOf(next.value)
  // The chart has no transition that only notifies.
  const isTaken = state !== step.state || next.context !== step.context
  return {
    step: {
      ...step,
      state,
      context: next.context,
      events: isTaken ? [...step.events, event] : step.events,
      notices: [...step.notices, ...notices]
    },
    sends: actions.some(({ type }) => type === "sendAttempt")
  }
}

/** The step after an event. */
export const on = (given: Given, step: Step, event: AuthEvent): Step => fire(given, step, event).step
