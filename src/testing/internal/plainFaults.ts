/** The faults without a delay, each once. `HugeBody` is not among them. */
import { Fault } from "../NumberEmulator.js"

export const plainFaults: readonly [Fault, ...ReadonlyArray<Fault>] = [
  Fault.Refuse,
  Fault.DropRequest,
  Fault.DropAnswer,
  Fault.StallRequest,
  Fault.StallAnswer,
  Fault.CutBody,
  Fault.ReportLock,
  Fault.Status(500, "Bad Request"),
  Fault.Body("null"),
  Fault.FunctionNotOk(1234, "out of order")
]
