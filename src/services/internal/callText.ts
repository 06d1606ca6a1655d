/**
 * Makes what a call's answer says fit to be shown.
 */

/** Digits that may be a card number: 13 to 19, with blanks or hyphens or without. */
const cardNumber = /(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)/g

/** Takes out what may be a card number: a careless answer may echo what a call has sent. */
export const withoutCardNumbers = (text: string): string => text.replace(cardNumber, "<redacted>")
