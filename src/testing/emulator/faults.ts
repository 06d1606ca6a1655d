/**
 * The faults that can be injected.
 */
import * as Duration from "effect/Duration"

/**
 * A fault that one coming call meets. Made with the constructors of the same name.
 *
 * @since 0.1.0
 * @category models
 */
export type Fault =
  | { readonly _tag: "Pass" }
  | { readonly _tag: "Refuse" }
  | { readonly _tag: "DropRequest" }
  | { readonly _tag: "DropAnswer" }
  | { readonly _tag: "StallRequest" }
  | { readonly _tag: "StallAnswer" }
  | { readonly _tag: "DelayRequest"; readonly duration: Duration.Duration }
  | { readonly _tag: "DelayAnswer"; readonly duration: Duration.Duration }
  | { readonly _tag: "Status"; readonly status: number; readonly body: string }
  | { readonly _tag: "Body"; readonly body: string }
  | { readonly _tag: "FunctionNotOk"; readonly code: number; readonly message: string }
  | { readonly _tag: "HugeBody"; readonly bytes: number }
  | { readonly _tag: "CutBody" }
  | { readonly _tag: "ReportLock" }

/**
 * The faults that make sense for a method other than Authenticate.
 *
 * @since 0.1.0
 * @category models
 */
export type MethodFault = Exclude<Fault, { readonly _tag: "ReportLock" }>

/**
 * Constructors of faults.
 *
 * - `Pass`: no fault; keeps a place in the queue.
 * - `Refuse`: the connection is refused (`ECONNREFUSED`) before anything is delivered.
 * - `DropRequest`: the connection is reset (`ECONNRESET`) and the request is never processed.
 * - `DropAnswer`: the request is processed, then the connection is reset before the answer.
 * - `StallRequest`: never processed, never answered.
 * - `StallAnswer`: processed, never answered.
 * - `DelayRequest(duration)`: processed after the duration, whether or not the caller still waits.
 * - `DelayAnswer(duration)`: processed at once, answered after the duration.
 * - `Status(status, body)`: this answer instead of processing; status from 200 to 599. The body is sent as given, over
 *   SOAP too.
 * - `Body(text)`: a 200 with this raw body instead of processing.
 * - `FunctionNotOk(code, message)`: `FunctionOk` false instead of processing.
 * - `HugeBody(bytes)`: as `FunctionNotOk(9999, …)`, with spaces that fill the body up to that size.
 * - `CutBody`: processed and answered, but the connection is reset in the middle of the body.
 * - `ReportLock`: `AuthSuccess` false and `IsLockedOut` true instead of processing. It counts as unsuccessful, and
 *   locks nothing by itself.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Fault: {
  readonly Pass: MethodFault
  readonly Refuse: MethodFault
  readonly DropRequest: MethodFault
  readonly DropAnswer: MethodFault
  readonly StallRequest: MethodFault
  readonly StallAnswer: MethodFault
  readonly DelayRequest: (duration: Duration.DurationInput) => MethodFault
  readonly DelayAnswer: (duration: Duration.DurationInput) => MethodFault
  readonly Status: (status: number, body: string) => MethodFault
  readonly Body: (body: string) => MethodFault
  readonly FunctionNotOk: (code: number, message: string) => MethodFault
  readonly HugeBody: (bytes: number) => MethodFault
  readonly CutBody: MethodFault
  readonly ReportLock: Fault
} = {
  Pass: { _tag: "Pass" },
  Refuse: { _tag: "Refuse" },
  DropRequest: { _tag: "DropRequest" },
  DropAnswer: { _tag: "DropAnswer" },
  StallRequest: { _tag: "StallRequest" },
  StallAnswer: { _tag: "StallAnswer" },
  DelayRequest: (duration) => ({ _tag: "DelayRequest", duration: Duration.decode(duration) }),
  DelayAnswer: (duration) => ({ _tag: "DelayAnswer", duration: Duration.decode(duration) }),
  Status: (status, body) => ({ _tag: "Status", status, body }),
  Body: (body) => ({ _tag: "Body", body }),
  FunctionNotOk: (code, message) => ({ _tag: "FunctionNotOk", code, message }),
  HugeBody: (bytes) => ({ _tag: "HugeBody", bytes }),
  CutBody: { _tag: "CutBody" },
  ReportLock: { _tag: "ReportLock" }
}
