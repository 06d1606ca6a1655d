/**
 * Looks for secrets in bytes, in every form in which they are likely to have been written.
 */
import { assert } from "@effect/vitest"

/** Base64 of a text has three forms, by where in the text around it the secret begins; its ends depend on that text. */
const base64Forms = (bytes: Buffer): ReadonlyArray<string> =>
  [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replace(/=+$/, "")
    return text.slice(shift === 0 ? 0 : shift + 1, -2)
  })

/** The bytes of a secret: as text, and as what the text means, if it is hexadecimal or base64. */
const meanings = (secret: string): ReadonlyArray<Buffer> => [
  Buffer.from(secret),
  ...(/^([0-9A-F]{2})+$/i.test(secret)
    ? [Buffer.from(secret, "hex"), Buffer.from(secret.toLowerCase()), Buffer.from(secret.toUpperCase())]
    : []),
  ...(/^[A-Za-z0-9+/]{43}=$/.test(secret) ? [Buffer.from(secret, "base64")] : [])
]

/** Raw, hexadecimal in both cases, and base64. */
export const formsOf = (secret: string): ReadonlyArray<Buffer> =>
  meanings(secret).flatMap((bytes) => [
    bytes,
    Buffer.from(bytes.toString("hex")),
    Buffer.from(bytes.toString("hex").toUpperCase()),
    ...base64Forms(bytes).map((text) => Buffer.from(text))
  ])

/** Fails where bytes hold a secret. The names say which, since the secret itself is not to be shown. */
export const assertHoldsNone = (bytes: Buffer, where: string, secrets: Readonly<Record<string, string>>) => {
  for (const [name, secret] of Object.entries(secrets)) {
    for (const [index, form] of formsOf(secret).entries()) {
      assert.isAtLeast(form.length, 12)
      assert.strictEqual(bytes.indexOf(form), -1, `${where} holds the ${name}, in form ${index}`)
    }
  }
}
