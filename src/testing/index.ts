/**
 * The kit for tests, yours and ours: the Number backend, layers, arbitraries, commands, a property of programs, and
 * simulated years; and the world around the pure core, to be walked from end to end.
 *
 * @since 0.1.0
 */
export * as Arbitraries from "./Arbitraries.js"
export * as AuthCommands from "./AuthCommands.js"
export * as Emulated from "./Emulated.js"
export * as Explorer from "./Explorer.js"
export * as LockoutProperty from "./LockoutProperty.js"
export { neverLocksOut } from "./LockoutProperty.js"
export * as NaiveClient from "./NaiveClient.js"
export * as NumberEmulator from "./NumberEmulator.js"
export * as NumberEmulatorServer from "./NumberEmulatorServer.js"
export * as ProcessGates from "./ProcessGates.js"
export * as SimulatedDisk from "./SimulatedDisk.js"
export * as Simulation from "./Simulation.js"
export * as SimulationTrace from "./SimulationTrace.js"
export * as VirtualClock from "./VirtualClock.js"
export * as WorldModel from "./WorldModel.js"
export * as WorldTrace from "./WorldTrace.js"
