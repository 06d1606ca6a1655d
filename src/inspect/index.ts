/**
 * The inspector: shows people the statechart and the changes of accounts.
 *
 * @since 0.1.0
 */
export * as Chart from "./Chart.js"
export * as InspectServer from "./InspectServer.js"
export * as Recorder from "./Recorder.js"
export * as Sequence from "./Sequence.js"
export * as StoreFollower from "./StoreFollower.js"
export * as Stately from "./Stately.js"
