/**
 * The statechart for people who look.
 *
 * @since 0.1.0
 */
export * as Chart from "./Chart.js"
