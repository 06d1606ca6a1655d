/**
 * The whole command, from its arguments to its exit code.
 */
import type * as CliApp from "@effect/cli/CliApp"
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import { Failure, numberAuth } from "./Commands.js"
import { ExitCode, exitCodeOf, exitCodeOfSignal } from "./ExitCode.js"
import { help } from "./help.js"
import { Output } from "./Output.js"
import { errorJson, messageOf } from "./Report.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Host {
  /** As in `process.argv`: the runtime, the script, then the arguments. */
  readonly argv: ReadonlyArray<string>
  readonly version: string
  readonly output: Output["Type"]
  /** The signal that interrupts the command, once there is one. */
  readonly signal: () => "SIGINT" | "SIGTERM" | undefined
}

/** A console for @effect/cli. Help goes to our output. Complaints are dropped, since they also come back as errors. */
const ownConsole =
  (output: Output["Type"]) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Console.consoleWith((console) =>
      Effect.withConsole(effect, {
        ...console,
        log: (...texts: ReadonlyArray<unknown>) => output.line(texts.map(String).join(" ")),
        error: () => Effect.void
      })
    )

/** Prints the error of a command, and gives its exit code. */
const report = (cause: Cause.Cause<unknown>, host: Host): Effect.Effect<number> => {
  const { output } = host
  const failure = Cause.failureOption(cause)
  const known = Option.filter(
    failure,
    (error): error is Failure | ValidationError.ValidationError =>
      error instanceof Failure || ValidationError.isValidationError(error)
  )
  const printError = (message: string, json: Readonly<Record<string, unknown>>): Effect.Effect<void> =>
    Effect.zipRight(output.say(message), output.json ? output.line(JSON.stringify(json)) : Effect.void)
  if (Option.isSome(known)) {
    const { error, report } =
      known.value instanceof Failure ? known.value : { error: known.value, report: Option.none() }
    return Effect.as(printError(messageOf(error), errorJson(error, report)), exitCodeOf(error))
  }
  const signal = host.signal()
  if (Cause.isInterruptedOnly(cause) && signal !== undefined) {
    const exitCode = exitCodeOfSignal(signal)
    return ["emulator", "inspect"].includes(host.argv[2]!)
      ? Effect.succeed(exitCode)
      : Effect.as(
          printError(`Ended by ${signal}.`, {
            error: "Interrupted",
            message: `Ended by ${signal}.`,
            exitCode
          }),
          exitCode
        )
  }
  // Only the defect's name is shown: a defect may contain a request, and a request holds a secret.
  const [defect] = Cause.defects(cause)
  const kind = defect instanceof Error && /^\w{1,40}$/.test(defect.name) ? defect.name : "unknown"
  const message = `number-auth has a bug (${kind}). The error is not shown, since it may hold a secret. An attempt that was under way counts until its lease runs out: see number-auth status before you go on. Please report the bug.`
  return Effect.as(
    printError(message, { error: "Defect", message, exitCode: ExitCode.defect }),
    ExitCode.defect
  )
}

const asksForHelp = (argv: ReadonlyArray<string>): boolean =>
  argv[2] === undefined || ["help", "--help", "-h"].includes(argv[2])

const run = (host: Host) =>
  Command.run(numberAuth, { name: "number-auth", version: host.version, executable: "number-auth" })(
    host.argv
  )

/**
 * Runs the command and gives its exit code. When it is interrupted, it first closes its resources: an attempt in flight
 * is settled.
 *
 * @since 0.1.0
 * @category running
 */
export const main = (host: Host): Effect.Effect<number, never, CliApp.CliApp.Environment> =>
  Effect.uninterruptibleMask((restore) =>
    restore(asksForHelp(host.argv) ? host.output.line(help(host.version)) : run(host)).pipe(
      Effect.as<number>(ExitCode.done),
      Effect.catchAllCause((cause) => report(cause, host))
    )
  ).pipe(
    ownConsole(host.output),
    Effect.provideService(Output, host.output),
    Effect.provide(CliConfig.layer({ isCaseSensitive: true, showBuiltIns: false, finalCheckBuiltIn: true })),
    Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)))
  )
