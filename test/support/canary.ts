/**
 * Looks for secrets in bytes, in every form in which they are likely to have been written.
 */
import { createHash } from "node:crypto"
import { assert } from "@effect/vitest"

/** A way in which a secret may have been written. */
export interface Form {
  readonly name: string
  readonly bytes: Buffer
}

/** A secret that was found. It is given by its name, since it must not be shown. */
export interface Hit {
  readonly secret: string
  readonly form: string
  readonly at: number
}

/**
 * Base64 of a text has three forms: they depend on the place in the surrounding text at which the secret
 * begins. The ends of a form depend on that text.
 */
const base64Forms = (bytes: Buffer): ReadonlyArray<string> =>
  [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replace(/=+$/, "")
    const own = text.slice(shift === 0 ? 0 : shift + 1, -2)
    return [own, own.replaceAll("+", "-").replaceAll("/", "_")]
  })

/** The bytes of a secret: as text, and decoded if the text is hexadecimal or base64. */
const meanings = (secret: string): ReadonlyArray<Buffer> => [
  Buffer.from(secret),
  ...(/^([0-9A-F]{2})+$/i.test(secret)
    ? [Buffer.from(secret, "hex"), Buffer.from(secret.toLowerCase()), Buffer.from(secret.toUpperCase())]
    : []),
  ...(/^[A-Za-z0-9+/]{43}=$/.test(secret) ? [Buffer.from(secret, "base64")] : [])
]

const ofBytes = (bytes: Buffer): ReadonlyArray<readonly [string, string | Buffer]> => {
  const hex = bytes.toString("hex")
  return [
    ["bytes", bytes],
    ["hexadecimal", hex],
    ["hexadecimal, apart", hex.replace(/..(?=.)/g, "$& ")],
    ["decimal", bytes.join(",")],
    ["decimal, apart", bytes.join(", ")],
    ...base64Forms(bytes).map((text) => ["base64", text] as const)
  ]
}

/**
 * The secret as a URL, JSON and XML escape it, at least and at most, and rewritten or cut in other likely
 * ways.
 */
const ofText = (secret: string): ReadonlyArray<readonly [string, string]> => {
  const each = (write: (code: number) => string): string =>
    Array.from(secret, (character) => write(character.codePointAt(0)!)).join("")
  const hex = (code: number, digits: number) => code.toString(16).padStart(digits, "0")
  const half = Math.floor(secret.length / 2)
  return [
    ["in a URL", encodeURIComponent(secret)],
    ["in a URL, all of it", each((code) => `%${hex(code, 2)}`)],
    ["in JSON", JSON.stringify(secret).slice(1, -1)],
    ["in JSON, all of it", each((code) => `\\u${hex(code, 4)}`)],
    ["in XML", secret.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)!};`)],
    [
      "in XML, by name",
      secret
        .replaceAll("&", "&amp;")
        .replaceAll("<", "&lt;")
        .replaceAll(">", "&gt;")
        .replaceAll('"', "&quot;")
    ],
    ["in XML, all of it", each((code) => `&#${code};`)],
    ["in XML, all of it in hexadecimal", each((code) => `&#x${hex(code, 2)};`)],
    ["backwards", Array.from(secret).reverse().join("")],
    ["spelled", each((code) => `${String.fromCodePoint(code)} `).trim()],
    ["hyphenated", secret.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")],
    // A text that was cut in the middle of the secret.
    ...(half < 16
      ? []
      : [["the first half", secret.slice(0, half)] as const, ["the last half", secret.slice(half)] as const])
  ]
}

/** A hash without a salt gives a secret away to anyone who can guess it. */
const ofHashes = (bytes: Buffer): ReadonlyArray<readonly [string, string | Buffer]> =>
  ["md5", "sha1", "sha256", "sha512"].flatMap((name) => {
    const digest = createHash(name).update(bytes).digest()
    return ofBytes(digest).map(([form, text]) => [`${name}, ${form}`, text] as const)
  })

/** Every form of a secret, in lower case. The bytes that are searched are compared in lower case, too. */
export const formsOf = (secret: string): ReadonlyArray<Form> => {
  const forms = new Map<string, Form>()
  const all = [...meanings(secret).flatMap(ofBytes), ...ofText(secret), ...meanings(secret).flatMap(ofHashes)]
  for (const [name, text] of all) {
    const bytes = folded(Buffer.from(text as string))
    const key = bytes.toString("latin1")
    if (!forms.has(key)) forms.set(key, { name, bytes })
  }
  return [...forms.values()]
}

/** ASCII capitals as small letters. */
const folded = (bytes: Uint8Array): Buffer => {
  const small = Buffer.from(bytes)
  for (let at = 0; at < small.length; at++) {
    if (small[at]! >= 65 && small[at]! <= 90) small[at]! += 32
  }
  return small
}

/** Looks for all forms of all secrets at once: by their first four bytes, in one pass. */
export const searchFor = (
  secrets: Readonly<Record<string, string>>
): ((bytes: Uint8Array | string) => ReadonlyArray<Hit>) => {
  const begins = new Map<number, Array<Form & { readonly secret: string }>>()
  const mayBegin = new Uint8Array(65_536)
  const slot = (prefix: number): number => Math.imul(prefix, 0x9e3779b1) >>> 16
  for (const [secret, text] of Object.entries(secrets)) {
    for (const form of formsOf(text)) {
      // A shorter one would be found by chance.
      assert.isAtLeast(form.bytes.length, 12, `the ${secret} is too short to be searched for (${form.name})`)
      const prefix = form.bytes.readUInt32BE(0)
      mayBegin[slot(prefix)] = 1
      begins.set(prefix, [...(begins.get(prefix) ?? []), { ...form, secret }])
    }
  }
  return (given) => {
    const bytes = folded(typeof given === "string" ? Buffer.from(given) : given)
    const hits: Array<Hit> = []
    let prefix = 0
    for (let end = 0; end < bytes.length; end++) {
      prefix = ((prefix << 8) | bytes[end]!) >>> 0
      if (end < 3 || mayBegin[slot(prefix)] === 0) continue
      const at = end - 3
      for (const { bytes: wanted, name, secret } of begins.get(prefix) ?? []) {
        if (bytes.compare(wanted, 0, wanted.length, at, Math.min(at + wanted.length, bytes.length)) === 0) {
          hits.push({ secret, form: name, at })
        }
      }
    }
    return hits
  }
}

/** Fails if bytes hold a secret. */
export const assertHoldsNone = (bytes: Buffer, where: string, secrets: Readonly<Record<string, string>>) => {
  for (const { at, form, secret } of searchFor(secrets)(bytes)) {
    assert.fail(`${where} holds the ${secret}, at ${at}, written as ${form}`)
  }
}
