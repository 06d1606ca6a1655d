/**
 * Holds a session with the Number payments backend, and never locks the location out.
 *
 * @since 0.1.0
 */
export * as Answers from "./schemas/Answers.js"
export * as AttemptOutcome from "./schemas/AttemptOutcome.js"
export * as Credentials from "./schemas/Credentials.js"
export * as InvalidInput from "./schemas/InvalidInput.js"
export * as NumberDate from "./schemas/NumberDate.js"
export * as PostedTokens from "./schemas/PostedTokens.js"
export * as StoredRecord from "./schemas/StoredRecord.js"
export * as TransitionRecord from "./schemas/TransitionRecord.js"

export * as AuthCore from "./machine/AuthCore.js"
export * as AuthMachine from "./machine/AuthMachine.js"
export * as Command from "./machine/Command.js"
export * as Ledger from "./machine/Ledger.js"
export * as Policy from "./machine/Policy.js"

export * as AuthError from "./services/AuthError.js"
export * as AuthInspector from "./services/AuthInspector.js"
export * as AuthNotifier from "./services/AuthNotifier.js"
export * as AuthStore from "./services/AuthStore.js"
export * as CallError from "./services/CallError.js"
export * as CredentialProvider from "./services/CredentialProvider.js"
export * as NumberAccounts from "./services/NumberAccounts.js"
export * as NumberAuth from "./services/NumberAuth.js"
export * as NumberClient from "./services/NumberClient.js"
export * as NumberMetrics from "./services/NumberMetrics.js"
export * as NumberTransport from "./services/NumberTransport.js"
export * as SessionRefusal from "./services/SessionRefusal.js"
export * as SessionSignature from "./services/SessionSignature.js"
export * as SoapClient from "./services/SoapClient.js"
export * as StoreKey from "./services/StoreKey.js"
