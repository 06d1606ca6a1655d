/**
 * Why a request has no answer: the HTTP client at hand tried to send it again by itself. As the cause of a `RequestError` it
 * reads as any other transport error: what was sent first may have been carried out.
 */
export class SentTwice extends Error {
  constructor() {
    super(
      "the HTTP client tried to send it a second time, and what the first came to is not known (repeat requests above the session's client, not below it)"
    )
    this.name = "SentTwice"
  }
}
