/**
 * The cause of a `RequestError` whose sending timed out. Like any other transport error, it means that the request may
 * have arrived.
 */
import * as Duration from "effect/Duration"

export class SendTimedOut extends Error {
  readonly code = "TIMEOUT"

  constructor(after: Duration.Duration) {
    super(`no answer came within ${Duration.format(after)}`)
    this.name = "SendTimedOut"
  }
}
