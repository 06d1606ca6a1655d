/**
 * Holds a session with the Number payments backend, and never locks the location out.
 *
 * @since 0.1.0
 */
export * as AttemptOutcome from "./schemas/AttemptOutcome.js"
export * as Credentials from "./schemas/Credentials.js"
export * as InvalidInput from "./schemas/InvalidInput.js"
export * as PostedTokens from "./schemas/PostedTokens.js"

export * as AuthError from "./services/session/AuthError.js"
export * as AuthObserver from "./services/session/AuthObserver.js"
export * as AuthNotifier from "./services/session/AuthNotifier.js"
export * as AuthStore from "./services/store/AuthStore.js"
export * as CallError from "./services/calls/CallError.js"
export * as CredentialProvider from "./services/session/CredentialProvider.js"
export * as NumberAccounts from "./services/session/NumberAccounts.js"
export * as NumberAuth from "./services/session/NumberAuth.js"
export * as NumberClient from "./services/calls/NumberClient.js"
export * as NumberMetrics from "./services/session/NumberMetrics.js"
export * as NumberTransport from "./services/wire/NumberTransport.js"
export * as SessionRefusal from "./services/session/SessionRefusal.js"
export * as SessionSignature from "./services/session/SessionSignature.js"
export * as SqlStore from "./services/store/SqlStore.js"
export * as StoreKey from "./services/store/StoreKey.js"
