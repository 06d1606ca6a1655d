/**
 * Tests of the search for secrets.
 */
import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Cause } from "effect"
import { formsOf, searchFor } from "../../support/canary.js"
import { showings } from "../../support/leaks.js"

const token = "2148B239CF6846BDA5D141BF4A4CFBE8"
const key = Buffer.from(Array.from({ length: 32 }, (_, n) => (n * 71 + 19) & 255)).toString("base64")
const markup = `a&b<c>d"e'f g/h+i=j%k`
const secrets = { token, key, markup }

const sha256 = (text: string | Buffer) => createHash("sha256").update(text).digest()

/** Forms of the secrets, written without the code of the search. */
const written: Readonly<Record<string, readonly [keyof typeof secrets, string | Buffer]>> = {
  "as it is": ["token", token],
  "in lower case": ["token", token.toLowerCase()],
  "in mixed case": ["token", "2148b239CF6846bdA5D141BF4a4cfBE8"],
  "with hyphens": ["token", "2148B239-CF68-46BD-A5D1-41BF4A4CFBE8"],
  "its first half": ["token", "2148B239CF6846BD…"],
  "its last half": ["token", "…A5D141BF4A4CFBE8"],
  backwards: ["token", "8EBFC4A4FB141D5ADB6486FC932B8412"],
  "letter by letter": ["token", "2 1 4 8 B 2 3 9 C F 6 8 4 6 B D A 5 D 1 4 1 B F 4 A 4 C F B E 8"],
  "its decoded bytes": ["token", Buffer.from(token, "hex")],
  "its decoded bytes, in base64": ["token", "IUiyOc9oRr2l0UG/Skz76A=="],
  "its decoded bytes, in base64 for URLs": ["token", "IUiyOc9oRr2l0UG_Skz76A"],
  "its letters in hexadecimal": ["token", Buffer.from(token).toString("hex")],
  "its letters in base64": ["token", Buffer.from(token).toString("base64")],
  "as a Buffer is printed": [
    "token",
    `<Buffer ${Buffer.from(token).toString("hex").match(/../g)!.join(" ")}>`
  ],
  "as a Buffer is in JSON": ["token", JSON.stringify(Buffer.from(token))],
  "as bytes are printed": ["token", Array.from(Buffer.from(token)).join(", ")],
  "in JSON within JSON": ["token", JSON.stringify(JSON.stringify({ token }))],
  "the key's bytes": ["key", Buffer.from(key, "base64")],
  "the key's bytes in hexadecimal": ["key", Buffer.from(key, "base64").toString("hex")],
  "in a URL": ["markup", `https://x.test/?a=${encodeURIComponent(markup)}&b`],
  "in XML": ["markup", "<T>a&amp;b&lt;c&gt;d&quot;e'f g/h+i=j%k</T>"],
  "in XML by number": ["markup", markup.replace(/./g, (letter) => `&#${letter.charCodeAt(0)};`)],
  "in XML by hexadecimal number": [
    "markup",
    markup.replace(/./g, (letter) => `&#x${letter.charCodeAt(0).toString(16)};`)
  ],
  "in JSON": ["markup", JSON.stringify({ note: markup })],
  "in JSON by number": [
    "token",
    token.replace(/./g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`)
  ],
  "hashed without a salt": ["token", sha256(token).toString("hex")],
  "hashed, in base64": ["token", sha256(token).toString("base64")],
  "hashed in lower case": ["token", sha256(token.toLowerCase()).toString("hex")],
  "hashed as its decoded bytes": ["token", sha256(Buffer.from(token, "hex"))]
}

describe("searchFor", () => {
  const find = searchFor(secrets)

  for (const [name, [secret, text]] of Object.entries(written)) {
    it(`finds a secret in this form: ${name}`, () => {
      const among = Buffer.concat([
        Buffer.from("a text before "),
        Buffer.from(text as string),
        Buffer.from(" and after")
      ])
      assert.include(
        find(among).map((hit) => hit.secret),
        secret
      )
    })
  }

  it("finds a secret in the base64 of a longer text, at any offset", () => {
    for (const before of ["", "x", "xy", "xyz"]) {
      const text = Buffer.from(`${before}${token}, more`).toString("base64")
      assert.include(
        find(text).map((hit) => hit.secret),
        "token"
      )
    }
  })

  it("finds every form of a secret, also at the very beginning and end, and gives its offset", () => {
    for (const [name, secret] of Object.entries(secrets)) {
      for (const { bytes } of formsOf(secret)) {
        for (const before of ["", "….."]) {
          const at = Buffer.byteLength(before)
          const hits = find(Buffer.concat([Buffer.from(before), bytes]))
          assert.isTrue(
            hits.some((hit) => hit.secret === name && hit.at === at),
            `${name}: ${bytes.toString("latin1")}`
          )
        }
      }
    }
  })

  it("finds no secret in other texts, even if almost all letters of a secret are there", () => {
    const others = [
      "7C31E08F5AD94B62910EF8A3D7B5264C",
      `${token.slice(0, 15)}0${token.slice(16, 31)}0`,
      Buffer.from(`${key.slice(1, 30)}0${key.slice(31)}`),
      sha256("another")
    ]
    for (const other of others) assert.deepStrictEqual(find(other), [])
  })

  it("rejects a secret that is so short that it would be found by chance", () => {
    assert.throws(() => searchFor({ pin: "1234" }), /pin is too short/)
  })
})

describe("showings", () => {
  const find = searchFor({ token })
  const hidden = Object.defineProperty({}, "of", { value: { token } })

  for (const [name, value] of Object.entries({
    "the message of an error": new Error(token),
    "the cause of an error's cause": new Error("no", { cause: new Error("no", { cause: new Error(token) }) }),
    "a field of an error": Object.assign(new Error("no"), { request: { headers: { SessKey: token } } }),
    "a field that is not enumerated": hidden,
    "a getter on the object itself": Object.defineProperty({}, "token", {
      get: () => token,
      enumerable: true
    }),
    toString: { toString: () => token },
    toJSON: { toJSON: () => token },
    "a Map in an array": [new Map([["a", new Set([token])]])],
    "the 500th of a list": [...Array<string>(500).fill("no"), token],
    "the failure of a cause": Cause.fail({ token }),
    "the defect of a cause in another": Cause.sequential(Cause.empty, Cause.die(new Error(token)))
  })) {
    it(`show a secret that is in ${name}`, () => {
      assert.isTrue(showings(value).some((text) => find(text).length > 0))
    })
  }

  it("do not show a secret in a private field", () => {
    const closed = new (class {
      readonly #token = token
      get length() {
        return this.#token.length
      }
    })()
    for (const text of showings(closed)) assert.deepStrictEqual(find(text), [])
  })
})
