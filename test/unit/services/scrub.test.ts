import { assert, describe, it } from "@effect/vitest"
import { FastCheck, Redacted } from "effect"
import { scrub } from "../../../src/services/internal/scrub.js"

describe("scrub", () => {
  it("takes out a secret before anything else is, so that none of its parts stays", () => {
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

  it("takes out what may be a card number, however it is written, and leaves dates and amounts", () => {
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

  it("ends soon, whatever the secret and the text: no part of its pattern may match in two ways", () => {
    for (const length of [12, 40, 127, 129, 9000]) {
      for (const filling of [" ", "-", "A", "^", "\u0000"]) {
        const secret = `JOHN${filling.repeat(length)}^`
        const began = performance.now()
        assert.strictEqual(scrub(`x ${secret} y`, Redacted.make(secret)), "x <redacted> y")
        scrub(`JOHN${filling.repeat(20_000)}`, Redacted.make(secret))
        assert.isBelow(performance.now() - began, 5000, JSON.stringify([length, filling]))
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
