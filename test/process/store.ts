/**
 * The store that a URL names, for tests: `file:` or `postgres:`.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Url from "node:url"
import type { AuthStore, AuthStoreError } from "../../src/services/store/AuthStore.js"
import { FingerprintCost } from "../../src/services/session/internal/fingerprint.js"
import * as SqliteStore from "../../src/services/store/SqliteStore.js"
import * as StoreKey from "../../src/services/store/StoreKey.js"

/** One key for all processes, as in a real location. Without a key each would make an attempt of its own. */
const testKey = Either.getOrThrow(
  StoreKey.decodeKeyRing({ current: Redacted.make(Buffer.alloc(32, "test").toString("base64")) })
)

/** The driver of PostgreSQL takes a sixth of the time in which a process starts, and many need SQLite alone. */
const pgLayer = (url: string) =>
  Layer.unwrapEffect(
    Effect.map(
      Effect.promise(() => import("../../src/services/store/PgStore.js")),
      (PgStore) => PgStore.layer({ url: Redacted.make(url), storeKey: testKey })
    )
  )

export const storeLayer = (url: string): Layer.Layer<AuthStore, AuthStoreError> =>
  url.startsWith("file:")
    ? SqliteStore.layer({ filename: Url.fileURLToPath(url) }).pipe(Layer.provide(NodeContext.layer))
    : pgLayer(url)

/** Cheap fingerprints: their cost does not matter here. It is the same for all processes of a store. */
export const cheapFingerprints = Layer.succeed(FingerprintCost, 1)
