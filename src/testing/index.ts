/**
 * The Number backend for tests: yours and ours.
 *
 * @since 0.1.0
 */
export * as NumberEmulator from "./NumberEmulator.js"
export * as NumberEmulatorServer from "./NumberEmulatorServer.js"
