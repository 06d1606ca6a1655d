/**
 * Why a request has no answer: the time that its sending may take was over. As the cause of a `RequestError` it reads as
 * any other transport error: what was sent may have arrived.
 */
import * as Duration from "effect/Duration"

export class SendTimedOut extends Error {
  readonly code = "TIMEOUT"

  constructor(after: Duration.Duration) {
    super(`no answer came within ${Duration.format(after)}`)
    this.name = "SendTimedOut"
  }
}
