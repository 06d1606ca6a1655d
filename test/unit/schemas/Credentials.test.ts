import { assert, describe, it } from "@effect/vitest"
import { Either, Redacted, Schema } from "effect"
import {
  decodeAccountCode,
  decodeLocation,
  decodeToken,
  Fingerprint,
  SessionKey
} from "../../../src/schemas/Credentials.js"
import { decodeInput, InvalidInput } from "../../../src/schemas/InvalidInput.js"
import { decodeBaseUrl, defaultBaseUrl } from "../../../src/services/wire/NumberTransport.js"
import { assertShowsNone } from "../../support/leaks.js"
import { goodToken } from "../../support/stack.js"

const secret = "S3CR3TS3CR3TS3CR3TS3CR3TS3CR3T99"

/** Malformed values that hold the secret in places that a parse error could show. */
const oddities: ReadonlyArray<unknown> = [
  undefined,
  null,
  0,
  true,
  secret,
  `${secret} `,
  [secret],
  { token: secret },
  { [secret]: secret, toString: () => secret, toJSON: () => secret },
  new String(secret),
  Symbol(secret),
  Redacted.make(secret),
  new Error(secret),
  () => secret,
  123456789012345678901234567890n,
  new Map([[secret, secret]]),
  new Proxy({}, { get: () => secret })
]

const refuses = (
  decode: (input: unknown) => Either.Either<unknown, InvalidInput>,
  field: string,
  expected: string,
  inputs: ReadonlyArray<unknown>
) => {
  for (const input of inputs) {
    const result = decode(input)
    assert.isTrue(Either.isLeft(result), `accepted ${typeof input}`)
    const error = Either.getOrThrow(Either.flip(result))
    assert.instanceOf(error, InvalidInput)
    assert.strictEqual(error._tag, "InvalidInput")
    assert.strictEqual(error.field, field)
    assert.include(error.expected, expected)
    assert.include(error.message, field)
    assert.include(error.message, expected)
    assertShowsNone(error, secret, "123456789012345678901234567890")
  }
}

describe("account code", () => {
  it("takes 2 letters and 7 digits", () => {
    assert.strictEqual(Either.getOrThrow(decodeAccountCode("EP9116875")), "EP9116875")
  })

  it("has one spelling of an account, whatever the case and the surrounding space", () => {
    assert.strictEqual(Either.getOrThrow(decodeAccountCode(" ep9116875\n")), "EP9116875")
    assert.strictEqual(Either.getOrThrow(decodeAccountCode("eP9116875")), "EP9116875")
  })

  it("refuses anything else, and names the field and its form, but not the value", () => {
    refuses(decodeAccountCode, "account code", "2 letters and 7 digits", [
      ...oddities,
      "",
      "EP911687",
      "EP91168755",
      "E19116875",
      "EPP116875",
      "EP 9116875",
      "EP9116875;EP9116876",
      "EP9116875\nEP9116876",
      "ЕР9116875", // Cyrillic
      "EP٩١١٦٨٧٥", // Arabic digits
      "ſP9116875" // upper-cases to S
        .replace("ſ", "ß")
    ])
  })
})

describe("token", () => {
  it("takes 32 hexadecimal characters in either case, and redacts them", () => {
    for (const text of [goodToken, goodToken.toLowerCase(), ` ${goodToken}\r\n`]) {
      const token = Either.getOrThrow(decodeToken(text))
      assert.strictEqual(Redacted.value(token), text.trim())
      assertShowsNone(token, goodToken)
    }
  })

  it("refuses anything else, and names the field and its form, but not the value", () => {
    const near = [
      goodToken.slice(1),
      `${goodToken}0`,
      `${goodToken.slice(1)}G`,
      `${goodToken.slice(0, 16)} ${goodToken.slice(16)}`,
      `{${goodToken.slice(2)}}`
    ]
    refuses(decodeToken, "token", "32 hexadecimal characters", [...oddities, "", ...near])
    for (const text of near) {
      assertShowsNone(Either.getOrThrow(Either.flip(decodeToken(text))), text, text.slice(2, 14))
    }
  })
})

describe("session key", () => {
  const decode = decodeInput(SessionKey, "session key", "printable")

  it("is opaque: it accepts any text that can stand in a header, and redacts it", () => {
    for (const text of ["B9F24903C3BA4770AE303032303541303032353437", "a", "!~{}:;,", "x".repeat(512)]) {
      const key = Either.getOrThrow(decode(text))
      assert.strictEqual(Redacted.value(key), text)
      if (text.length > 10) assertShowsNone(key, text)
    }
  })

  it("refuses text that could break out of a header, and values that are not keys", () => {
    refuses(decode, "session key", "printable", [
      "",
      " ",
      "a b",
      "a\r\nX-Evil: 1",
      "a\u0000",
      "a\u007f",
      "schlüssel",
      "x".repeat(513),
      null,
      undefined,
      42,
      [secret]
    ])
  })
})

describe("location", () => {
  it("takes 1 to 64 letters, digits, dots, underscores or hyphens", () => {
    for (const text of ["default", "203.0.113.7", "store_12-a", "x", "x".repeat(64)]) {
      assert.strictEqual(Either.getOrThrow(decodeLocation(text)), text)
    }
    assert.strictEqual(Either.getOrThrow(decodeLocation(" default ")), "default")
  })

  it("refuses anything else, and names the field and its form, but not the value", () => {
    refuses(decodeLocation, "location", "1 to 64 letters", [
      ...oddities.filter((input) => input !== secret && input !== `${secret} `),
      "",
      "   ",
      "x".repeat(65),
      "a b",
      "a/b",
      "a:b",
      "café",
      "a\nb",
      "2001:db8::1"
    ])
  })
})

describe("fingerprint", () => {
  it("is 64 lower-case hexadecimal characters and nothing else", () => {
    const is = Schema.is(Fingerprint)
    assert.isTrue(is("0123456789abcdef".repeat(4)))
    assert.isFalse(is("0123456789ABCDEF".repeat(4)))
    assert.isFalse(is("0123456789abcdef".repeat(3)))
    assert.isFalse(is(goodToken))
    assert.isFalse(is(null))
  })
})

describe("base URL", () => {
  it("takes https, and http to a loopback address only, without the slash at the end", () => {
    const taken: ReadonlyArray<readonly [string, string]> = [
      [defaultBaseUrl, defaultBaseUrl],
      [" https://easypay5.com/APIcardProcREST/v1.0.0/ ", "https://easypay5.com/APIcardProcREST/v1.0.0"],
      ["https://EASYPAY5.com", "https://easypay5.com"],
      ["https://easypay5.com///", "https://easypay5.com"],
      ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
      ["http://127.9.9.9/v1/", "http://127.9.9.9/v1"],
      ["http://localhost:1", "http://localhost:1"],
      ["http://[::1]:1/v1", "http://[::1]:1/v1"]
    ]
    for (const [input, output] of taken) assert.strictEqual(Either.getOrThrow(decodeBaseUrl(input)), output)
  })

  it("refuses a URL that could send the token unencrypted or elsewhere, or that has more than a path", () => {
    refuses(decodeBaseUrl as (input: unknown) => Either.Either<string, InvalidInput>, "base URL", "https", [
      "",
      "easypay5.com",
      "/APIcardProcNumber",
      "http://easypay5.com/v1",
      "http://localhost.evil.test",
      "http://127.0.0.1.evil.test",
      "http://evil.test/127.0.0.1",
      "http://0.0.0.0",
      "http://[::ffff:8.8.8.8]",
      "ftp://127.0.0.1",
      "file:///etc/passwd",
      "javascript:alert(1)",
      `https://user@easypay5.com`,
      `https://user:${secret}@easypay5.com`,
      `https://:${secret}@easypay5.com`,
      `https://easypay5.com/?token=${secret}`,
      `https://easypay5.com/#${secret}`,
      "https://easypay5.com/v1?",
      "https://easypay5.com/v1#",
      `https://${secret} .com`
    ])
  })
})

describe("InvalidInput", () => {
  it("says that nothing was sent, and how to proceed", () => {
    const error = new InvalidInput({ field: "token", expected: "32 hexadecimal characters" })
    assert.strictEqual(
      error.message,
      "The token is malformed: expected 32 hexadecimal characters. Nothing was sent and the location's count is unchanged. Correct the token and try again."
    )
    assert.include(String(error), error.message)
  })
})
