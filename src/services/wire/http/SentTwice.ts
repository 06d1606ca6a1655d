/**
 * The cause of a `RequestError` whose HTTP client tried to send the request again by itself. Like any other transport
 * error, it means that the first sending may have been carried out.
 */
export class SentTwice extends Error {
  constructor() {
    super(
      "the HTTP client tried to send it a second time, and the result of the first time is not known (to repeat requests, retry the session's client, not the HTTP client below it)"
    )
    this.name = "SentTwice"
  }
}
