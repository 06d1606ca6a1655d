/**
 * The parts of the statechart: types, guards and actions.
 */
import { setup } from "xstate"
import type { AuthContext } from "../../schemas/StoredRecord.js"
import type { AuthEvent } from "../AuthEvent.js"
import type { Notice } from "../Notice.js"
import type { Policy } from "../Policy.js"
import { guardsOf } from "./guards.js"
import { memoryOf } from "./memory.js"

/**
 * The text of a state for people. XState's `description` says what the state means.
 *
 * @since 0.1.0
 * @category models
 */
export interface StateMeta {
  /** The instruction for a person while the account is in this state. */
  readonly toDo: string
}

/** The chart's types, guards and actions, for a policy. */
export const setUp = (policy: Policy) =>
  setup({
    types: {
      context: {} as AuthContext,
      input: {} as AuthContext,
      events: {} as AuthEvent,
      meta: {} as StateMeta
    },
    guards: guardsOf(policy),
    actions: {
      // The chart names these two, and the shell carries them out.
      sendAttempt: () => {},
      notify: (_, _params: { notice: Notice }) => {},
      ...memoryOf(policy)
    }
  })

export type Chart = ReturnType<typeof setUp>
