/**
 * The kit for tests, yours and ours: the Number backend, layers, arbitraries, commands, a property of programs, and
 * simulated years.
 *
 * @since 0.1.0
 */
export * as Arbitraries from "./Arbitraries.js"
export * as AuthCommands from "./AuthCommands.js"
export * as Emulated from "./Emulated.js"
export * as LockoutProperty from "./LockoutProperty.js"
export { neverLocksOut } from "./LockoutProperty.js"
export * as NaiveClient from "./NaiveClient.js"
export * as NumberAuthTest from "./NumberAuthTest.js"
export * as NumberEmulator from "./NumberEmulator.js"
export * as NumberEmulatorServer from "./NumberEmulatorServer.js"
export * as ProcessGates from "./ProcessGates.js"
export * as SimulatedDisk from "./SimulatedDisk.js"
export * as Simulation from "./Simulation.js"
export * as SimulationTrace from "./SimulationTrace.js"
export * as VirtualClock from "./VirtualClock.js"
