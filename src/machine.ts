/**
 * The statechart and the pure core, to be looked at and proved: nothing here sends or stores.
 *
 * @since 0.1.0
 */
export * as StoredRecord from "./schemas/StoredRecord.js"
export * as TransitionRecord from "./schemas/TransitionRecord.js"

export * as AuthCore from "./machine/AuthCore.js"
export * as AuthMachine from "./machine/AuthMachine.js"
export * as Ledger from "./machine/Ledger.js"
export * as Notice from "./machine/Notice.js"
export * as Policy from "./machine/Policy.js"
