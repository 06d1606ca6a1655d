/**
 * How the secrets of an account's record are kept: sealed, or where the store has no key, in this process only.
 *
 * Nothing is sealed or opened inside a transaction. WebCrypto is asynchronous, and a transaction that waits for it would
 * hold the location's lock meanwhile; with SQLite those who wait for the lock block the event loop, and so the one who has
 * it. A transaction that needs it gives up instead, is rolled back, and runs again when the work is done: once for each
 * session that a process meets.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SessionKey, type Token } from "../../../schemas/Credentials.js"
import type {
  AccountRecord,
  AuthContext,
  Sealed,
  SealedAccountRecord,
  Session
} from "../../../schemas/StoredRecord.js"
import type { KeyRing } from "../StoreKey.js"
import { type Identity, NotOpened, open, seal } from "./sealing.js"

/** Whose record it is. */
type Owner = Pick<Identity, "location" | "account">

/** A session key, and the same sealed. */
interface Pair {
  readonly generation: number
  readonly sessionKey: SessionKey
  readonly sealed: Sealed
}

/** The work that a transaction needs done before it runs again. Nothing of it was written. */
export class Pending {
  readonly work: Effect.Effect<Pair, NotOpened>
  constructor(work: Effect.Effect<Pair, NotOpened>) {
    this.work = work
  }
}

/** What a transaction on one account opens and closes its record with. */
export interface Vault {
  /** The record as the machine's shell has it. Its key is null where there is a session that this process has no key of. */
  readonly open: (stored: SealedAccountRecord) => Effect.Effect<AccountRecord, NotOpened | Pending>
  /** The record as the store keeps it. */
  readonly close: (record: AccountRecord) => Effect.Effect<SealedAccountRecord, Pending>
}

export interface AccountSecrets {
  /** Runs a transaction, again when what it was pending on is done. */
  readonly runSealed: <A, E>(
    owner: Owner,
    transaction: (vault: Vault) => Effect.Effect<A | Pending, E>
  ) => Effect.Effect<A, E | NotOpened>
}

const nameOf = ({ account, location }: Owner): string => `${location}/${account}`

const withKey = (
  { context, state }: Pick<AccountRecord, "context" | "state">,
  sessionKey: SessionKey | null
): AccountRecord => ({ version: 1, state, context, sessionKey })

const decodeSessionKey = Schema.decodeUnknownOption(SessionKey)

/** Seals under the current key of the ring. */
export const sealed = (ring: KeyRing): AccountSecrets => {
  // Keeps what was met last, so that a record that is only read or moved on needs no work.
  const met = new Map<string, Pair>()

  const identityOf = ({ account, location }: Owner, generation: number): Identity => ({
    location,
    account,
    what: "sessionKey",
    generation
  })

  const opening = (owner: Owner, generation: number, box: Sealed): Pending =>
    new Pending(
      open(ring, identityOf(owner, generation), box).pipe(
        Effect.flatMap((text) => decodeSessionKey(Redacted.value(text))),
        Effect.map((sessionKey) => ({ generation, sessionKey, sealed: box })),
        Effect.catchTag("NoSuchElementException", () => new NotOpened({ why: "broken", keyId: box.keyId }))
      )
    )

  const sealing = (owner: Owner, generation: number, sessionKey: SessionKey): Pending =>
    new Pending(
      Effect.map(seal(ring, identityOf(owner, generation), sessionKey), (box) => ({
        generation,
        sessionKey,
        sealed: box
      }))
    )

  const vaultOf = (owner: Owner, known: ReadonlyArray<Pair>, metBefore: Pair | undefined): Vault => ({
    open: (stored) => {
      const { context, sessionKey: box } = stored
      if (box === null) {
        // Not what this transaction is about to store.
        if (met.get(nameOf(owner)) === metBefore) met.delete(nameOf(owner))
        return Effect.succeed(withKey(stored, null))
      }
      if (context.session === null) return new NotOpened({ why: "broken", keyId: box.keyId })
      const { generation } = context.session
      const pair = known.find(
        (each) =>
          each.generation === generation &&
          each.sealed.keyId === box.keyId &&
          each.sealed.nonce === box.nonce &&
          each.sealed.box === box.box
      )
      return pair === undefined
        ? Effect.fail(opening(owner, generation, box))
        : Effect.succeed(withKey(stored, pair.sessionKey))
    },
    close: ({ context, sessionKey, state }) => {
      const closed = (box: Sealed | null): SealedAccountRecord => ({
        version: 2,
        state,
        context,
        sessionKey: box
      })
      if (sessionKey === null || context.session === null) return Effect.succeed(closed(null))
      const { generation } = context.session
      const pair = known.find(
        (each) =>
          each.generation === generation &&
          each.sealed.keyId === ring.current.id &&
          Redacted.value(each.sessionKey) === Redacted.value(sessionKey)
      )
      return pair === undefined
        ? Effect.fail(sealing(owner, generation, sessionKey))
        : Effect.succeed(closed(pair.sealed))
    }
  })

  return {
    runSealed: (owner, transaction) =>
      Effect.gen(function* () {
        const name = nameOf(owner)
        // Its own, so that others on the same account do not take away what it has got ready.
        const metBefore = met.get(name)
        const known = metBefore === undefined ? [] : [metBefore]
        while (true) {
          const result = yield* transaction(vaultOf(owner, known, metBefore))
          if (!(result instanceof Pending)) return result
          const pair = yield* result.work
          known.push(pair)
          met.set(name, pair)
        }
      })
  }
}

/** Keeps the newest key of each account in memory: another process, and this one when it starts again, has none. */
export const inMemory = (): AccountSecrets => {
  const kept = new Map<string, { readonly session: Session; readonly sessionKey: SessionKey }>()

  const keyOf = (owner: Owner, session: Session): SessionKey | null => {
    const found = kept.get(nameOf(owner))
    const isIt =
      found?.session.generation === session.generation &&
      // A store that went back to a backup may give out a generation again.
      found.session.obtainedAtMillis === session.obtainedAtMillis
    return isIt ? found.sessionKey : null
  }

  /** Neither the session that is stored, nor what an attempt under way is about to store. */
  const forgetWhatEnded = (owner: Owner, { attempt, lostAttempt, session }: AuthContext): void => {
    const generation = kept.get(nameOf(owner))?.session.generation
    if (![session?.generation, attempt?.id, lostAttempt?.id].includes(generation)) kept.delete(nameOf(owner))
  }

  const vaultOf = (owner: Owner): Vault => ({
    open: (stored) => {
      if (stored.sessionKey !== null) {
        return new NotOpened({ why: "unknownKey", keyId: stored.sessionKey.keyId })
      }
      forgetWhatEnded(owner, stored.context)
      return Effect.succeed(withKey(stored, stored.context.session && keyOf(owner, stored.context.session)))
    },
    close: ({ context, sessionKey, state }) =>
      Effect.sync(() => {
        // Before it is certain that the transaction holds: if it does not, nothing asks for a key of that session.
        if (sessionKey !== null && context.session !== null) {
          kept.set(nameOf(owner), { session: context.session, sessionKey })
        }
        return { version: 2, state, context, sessionKey: null }
      })
  })

  return {
    runSealed: (owner, transaction) =>
      Effect.flatMap(transaction(vaultOf(owner)), (result) =>
        result instanceof Pending ? Effect.dieMessage("nothing is sealed in memory") : Effect.succeed(result)
      )
  }
}

/** Keeps tokens in the memory of this process. */
export const tokensInMemory = () => {
  const tokens = new Map<string, Token>()
  return {
    readToken: (owner: Owner) => Effect.sync(() => Option.fromNullable(tokens.get(nameOf(owner)))),
    writeToken: (owner: Owner, token: Token) => Effect.sync(() => void tokens.set(nameOf(owner), token))
  }
}
