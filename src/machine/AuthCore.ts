/**
 * Statechart and ledger together: one transaction's change of an account's record and of its location's ledger.
 *
 * The core is pure, and the only place where both meet. The shell reads both in a transaction, calls
 * {@link AuthCore.step}, stores the result, and acts on the decision once the transaction is durable.
 */
import type { AccountCode } from "../schemas/Credentials.js"
import { makeAuthMachine } from "./AuthMachine.js"
import { catchUp, followLock, handle } from "./internal/handlers.js"
import type { Moment } from "./Ledger.js"
import type { Policy } from "./Policy.js"
import { type CoreState, Decision, type Message, type Step } from "./Step.js"

export { type CoreState, Decision, type Message, type OutcomeFacts, type Step } from "./Step.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface AuthCore {
  readonly policy: Policy
  /** Handles one message of one account, at one moment. */
  readonly step: (core: CoreState, account: AccountCode, message: Message, moment: Moment) => Step
}

/**
 * Builds the core for a policy.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeAuthCore = (policy: Policy): AuthCore => {
  const machine = makeAuthMachine(policy)
  return {
    policy,
    step: (core, account, message, moment) => {
      const given = { machine, policy, account, moment }
      const before: Step = { ...core, events: [], notices: [], decision: Decision.done() }
      return followLock(given, handle(given, catchUp(given, before, message), message))
    }
  }
}
