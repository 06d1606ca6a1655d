/**
 * An emulator of the Number payments backend, in memory. Its knowledge comes from the documentation alone, and it
 * shares no code with the rest of the library, so it can judge the library.
 *
 * @since 0.1.0
 */
export { type CountEvent, type Standing, standingOf } from "./emulator/count.js"
export { Fault, type MethodFault } from "./emulator/faults.js"
export { httpClient, layerHttpClient, layerHttpClientFrom } from "./emulator/httpClient.js"
export { layer, make } from "./emulator/make.js"
export type { Options } from "./emulator/rules.js"
export { NumberEmulator } from "./emulator/service.js"
export type {
  Answer,
  AuthenticateCall,
  Delivery,
  Execution,
  Incoming,
  Outcome,
  Summary
} from "./emulator/state.js"
