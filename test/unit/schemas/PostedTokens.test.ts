import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Either, Redacted } from "effect"
import { decodePostedTokens } from "../../../src/schemas/PostedTokens.js"
import { assertShowsNone } from "../../support/leaks.js"

const fragment = readFileSync(
  new URL("../../fixtures/portal-post-tokens-fragment.txt", import.meta.url),
  "utf8"
)
const secrets = ["AB87E1D81559466E9165FCDA2B5B12C3", "EDB6D3FC1DE44A5C883BC718350C40BC"]
const bareArray = fragment.trim().replace(/^"Tokens":\s*/, "")

describe("decodePostedTokens", () => {
  it("takes the documented sample without braces, with them, and as a bare array", () => {
    for (const body of [fragment, `{${fragment}}`, `\n { ${fragment} } \n`, bareArray, ` ${bareArray}\n`]) {
      const tokens = Either.getOrThrow(decodePostedTokens(body))
      assert.deepStrictEqual(
        tokens.map((token) => [
          token.TokenID,
          token.AccountCode as string,
          Redacted.value(token.Token) as string,
          token.AccountName,
          token.ExpirationDate
        ]),
        [
          ["8961", "EP8179234", secrets[0]!, "CY FD TEST", Date.parse("2026-11-22T13:59:54Z")],
          ["8962", "EP1519128", secrets[1]!, "CY TSYS TEST", Date.parse("2026-11-22T13:59:54Z")]
        ]
      )
      assertShowsNone(tokens, ...secrets)
    }
  })

  it("takes a token without an account name, and an empty list", () => {
    const [token] = Either.getOrThrow(
      decodePostedTokens(
        `[{"TokenID":"1","AccountCode":"ep8179234","Token":"${secrets[0]}","ExpirationDate":"11/22/2026 1:59:54 PM"}]`
      )
    )
    assert.strictEqual(token!.AccountName, "")
    assert.strictEqual(token!.AccountCode, "EP8179234")
    assert.deepStrictEqual(Either.getOrThrow(decodePostedTokens('"Tokens": []')), [])
  })

  it("refuses a malformed body, and shows no token", () => {
    const malformed = [
      "",
      "null",
      "Bad Request",
      `${fragment}}`,
      `{${fragment}`,
      fragment.slice(0, -5),
      `"Tokens": ${secrets[0]}`,
      bareArray.replace("EP8179234", "8179234"),
      bareArray.replace(secrets[0]!, `${secrets[0]}00`),
      bareArray.replace("11/22/2026", "31/22/2026"),
      bareArray.replace('"TokenID":"8961"', `"TokenID":{"a":"${secrets[0]}"}`),
      `{"tokens": ${bareArray}}`,
      `{"Tokens": {"0": ${bareArray}}}`
    ]
    for (const body of malformed) {
      const error = Either.getOrThrow(Either.flip(decodePostedTokens(body)))
      assert.strictEqual(error.field, "list of posted tokens")
      assert.include(error.message, "posted tokens")
      assert.include(error.message, "TokenID")
      assertShowsNone(error, ...secrets)
    }
  })
})
