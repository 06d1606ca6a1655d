import { assert, describe, it } from "@effect/vitest"
import { FastCheck, Redacted } from "effect"
import { scrub, withoutKeys, withoutSecrets } from "../../../../src/services/common/scrub.js"
import { cpuMillis } from "../../../support/cpu.js"

describe("scrub", () => {
  it("takes out a secret before anything else, so that no part of it stays", () => {
    const track = "%B4111111111111111^SMITH/JOHN^25121011000123?"
    assert.strictEqual(scrub(`cannot read ${track}!`, Redacted.make(track)), "cannot read <redacted>!")
    const key = "B9F24903C3BA4770AEB30303230354131A30C9"
    assert.strictEqual(scrub(`key ${key}`, Redacted.make(key)), "key <redacted>")
  })

  it("takes out a secret that is echoed in another case, with hyphens, or over two lines", () => {
    const secret = Redacted.make("s3cr-et w0rd")
    for (const echoed of ["s3cr-et w0rd", "S3CRETW0RD", "s-3-c-r-e-t w\n0\u0000rd"]) {
      assert.strictEqual(scrub(`no ${echoed}.`, secret), "no <redacted>.")
    }
    assert.strictEqual(scrub("a - b", Redacted.make(" - "), Redacted.make("")), "a - b")
  })

  it("takes out a secret that is echoed with letters outside ASCII of the same case folding", () => {
    // U+212A is the Kelvin sign, and ſ an s.
    const [plain, other] = ["kiosk-secret", "\u{212A}io\u017F\u{212A}-\u017Fecret"]
    for (const [secret, echo] of [
      [plain, other],
      [other, plain],
      [other, other.toUpperCase()]
    ] as const) {
      assert.strictEqual(withoutSecrets(`a ${echo} b`, Redacted.make(secret)), "a <redacted> b")
    }
  })

  it("takes out possible card numbers, however they are written, and leaves dates and amounts", () => {
    for (const card of [
      "4111111111111111",
      "4111 1111 1111 1111",
      "4111  1111\n1111 1111",
      "4111-1111-1111-1111",
      "4111.1111.1111.1111",
      "4111–1111–1111–1111",
      "41111111111111111226",
      "4111111111111"
    ]) {
      assert.strictEqual(scrub(`card ${card} declined`), "card <redacted> declined")
    }
    const plain = "SessKey Expires|4/18/2019 7:29:47 AM, 1234567.89 of TXID 123456789012"
    assert.strictEqual(scrub(plain), plain)
  })

  it("takes out every occurrence of a secret, and reads none of its characters as a pattern", () => {
    const secret = Redacted.make("a.b*(c)[d]{2}^$|?\\")
    const text = Redacted.value(secret)
    assert.strictEqual(
      withoutSecrets(`${text}, ${text.toUpperCase()}; axbbc`, secret),
      "<redacted>, <redacted>; axbbc"
    )
    assert.strictEqual(withoutSecrets("axbbbc", Redacted.make("a.b*c")), "axbbbc")
    assert.strictEqual(
      withoutSecrets("one two, TWO one", Redacted.make("one"), Redacted.make("two")),
      "<redacted> <redacted>, <redacted> <redacted>"
    )
  })

  it("finds secrets of up to 128 characters in any echoed form, and longer ones only as they are", () => {
    const ofLength = (length: number) => "s3cret!x".repeat(20).slice(0, length)
    const longest = ofLength(128)
    assert.strictEqual(withoutSecrets(`<${longest.toUpperCase()}>`, Redacted.make(longest)), "<<redacted>>")
    const longer = ofLength(129)
    assert.strictEqual(
      withoutSecrets(`${longer} ${longer}, ${longer.toUpperCase()}`, Redacted.make(longer)),
      `<redacted> <redacted>, ${longer.toUpperCase()}`
    )
  })

  it("takes out runs of 24 or more hexadecimal digits, in either case and with hyphens, and leaves shorter ones", () => {
    const digits = "0123456789abcdefABCDEF012345"
    for (const text of [
      digits.slice(0, 24),
      digits,
      "2148b239-cf68-46bd-a5d1-41bf4a4cfbe8",
      "2148B239-CF68-46BD-A5D1-41BF4A4CFBE8"
    ]) {
      assert.strictEqual(withoutKeys(`x ${text}, y ${text}`), "x <redacted>, y <redacted>")
    }
    for (const text of [
      digits.slice(0, 23),
      `${digits.slice(0, 12)} ${digits.slice(12, 24)}`,
      "zyxwvuts".repeat(4)
    ]) {
      assert.strictEqual(withoutKeys(text), text)
    }
    assert.strictEqual(withoutKeys("it was s3cr-et", Redacted.make("s3cret")), "it was <redacted>")
  })

  it("writes the rest on one line, without control characters, and shortens it to 200 characters", () => {
    assert.strictEqual(scrub("\u0007 one\u0000\u0001\r\n\ttwo  three\u202e "), "one two three")
    assert.strictEqual(scrub("x".repeat(200)), "x".repeat(200))
    assert.strictEqual(scrub("x".repeat(201)), `${"x".repeat(200)}…`)
    assert.strictEqual(scrub(` ${"x".repeat(200)} `), "x".repeat(200))
    assert.strictEqual(scrub("4111111111111111, 5500 0000 0000 0004"), "<redacted>, <redacted>")
  })

  it("ends soon, whatever the secret and the text: no part of its pattern may match in two ways", () => {
    for (const length of [12, 40, 127, 129, 9000]) {
      for (const filling of [" ", "-", "A", "^", "\u0000"]) {
        const secret = `JOHN${filling.repeat(length)}^`
        assert.strictEqual(scrub(`x ${secret} y`, Redacted.make(secret)), "x <redacted> y")
        const took = cpuMillis(() => scrub(`JOHN${filling.repeat(20_000)}`, Redacted.make(secret)))
        assert.isBelow(took, 5000, JSON.stringify([length, filling]))
      }
    }
  })

  it("shows no secret and no more than 200 characters, and takes any text", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.string({ unit: "binary", maxLength: 300 }),
        FastCheck.tuple(
          FastCheck.string({ maxLength: 16 }),
          FastCheck.stringMatching(/^[a-zA-Z0-9]{8}$/),
          FastCheck.string({ maxLength: 16 })
        ).map((parts) => parts.join("")),
        FastCheck.nat(300),
        (text, secret, at) => {
          const shown = scrub(text.slice(0, at) + secret + text.slice(at), Redacted.make(secret))
          assert.notInclude(shown.toLowerCase(), secret.toLowerCase())
          assert.isAtMost(shown.length, 201)
        }
      )
    )
  })
})
