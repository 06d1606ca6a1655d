import { assert, describe, it } from "@effect/vitest"
import { parsePostgresUrl } from "../../../../src/services/store/sql/postgresUrl.js"

const hostOf = (text: string): string | null => parsePostgresUrl(text)?.host ?? null

describe("a PostgreSQL address", () => {
  it("has a host, and a port if that is not the usual one", () => {
    assert.strictEqual(hostOf("postgres://user:word@db.example:6432/shop"), "db.example:6432")
    assert.strictEqual(hostOf("PostgreSQL://db.example/shop"), "db.example")
    const read = parsePostgresUrl("postgres://us%40er:w%2Fd@db.example/shop?sslmode=require")
    assert.deepStrictEqual(
      [read?.url.username, read?.url.password, read?.url.pathname, read?.url.search],
      ["us%40er", "w%2Fd", "/shop", "?sslmode=require"]
    )
  })

  it("may give its host as a parameter, such as that of a socket", () => {
    for (const text of [
      "postgres://user:word@/shop?host=/run/postgresql",
      "postgres://user@/shop?sslmode=disable&host=/run/postgresql"
    ]) {
      assert.strictEqual(hostOf(text), "")
      assert.strictEqual(parsePostgresUrl(text)?.url.searchParams.get("host"), "/run/postgresql")
    }
  })

  it("is invalid without a scheme of PostgreSQL's, a host or one database", () => {
    for (const text of [
      "",
      "db.example",
      "https://db.example/shop",
      "xpostgres://db.example/shop",
      "see postgres://db.example/shop",
      "postgres:db.example/shop",
      "postgres://db.example",
      "postgres://db.example/",
      "postgres://db.example/shop/till",
      "postgres://db.example/shop#1",
      "postgres:///shop",
      "postgres://user:word@/shop",
      "postgres://db.example:port/shop"
    ]) {
      assert.isNull(parsePostgresUrl(text), text)
    }
  })
})
