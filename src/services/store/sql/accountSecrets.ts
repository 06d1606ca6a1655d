/**
 * The secrets of an account's record: sealed, or, if the store has no key, kept in the memory of this process only.
 *
 * Nothing is sealed or opened inside a transaction. WebCrypto is asynchronous, so a transaction that waits for it would
 * hold the location's lock meanwhile. With SQLite, callers that wait for the lock block the event loop, and so block
 * the holder of the lock. A transaction that needs WebCrypto gives up instead, is rolled back, and runs again when the
 * work is done: once for each session that a process meets.
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

/** The owner of a record: an account at a location. */
type Owner = Pick<Identity, "location" | "account">

/** A session key, plain and sealed. */
interface Pair {
  readonly generation: number
  readonly sessionKey: SessionKey
  readonly sealed: Sealed
}

/** The work that must be done before a transaction can run again. The transaction has written nothing. */
export class Pending {
  readonly work: Effect.Effect<Pair, NotOpened>
  constructor(work: Effect.Effect<Pair, NotOpened>) {
    this.work = work
  }
}

/** Opens and closes the record of one account in a transaction. */
export interface Vault {
  /** The opened record. Its key is null if there is no session, or if this process has no key for it. */
  readonly open: (stored: SealedAccountRecord) => Effect.Effect<AccountRecord, NotOpened | Pending>
  /** The record as the store keeps it. */
  readonly close: (record: AccountRecord) => Effect.Effect<SealedAccountRecord, Pending>
}

export interface AccountSecrets {
  /** Runs a transaction. If it is pending on work, does that work and runs the transaction again. */
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

const identityOf = ({ account, location }: Owner, generation: number): Identity => ({
  location,
  account,
  what: "sessionKey",
  generation
})

/** The work that opens a sealed key. */
const opening = (ring: KeyRing, owner: Owner, generation: number, box: Sealed): Pending =>
  new Pending(
    open(ring, identityOf(owner, generation), box).pipe(
      Effect.flatMap((text) => decodeSessionKey(Redacted.value(text))),
      Effect.map((sessionKey) => ({ generation, sessionKey, sealed: box })),
      Effect.catchTag("NoSuchElementException", () => new NotOpened({ why: "broken", keyId: box.keyId }))
    )
  )

/** The work that seals a key. */
const sealing = (ring: KeyRing, owner: Owner, generation: number, sessionKey: SessionKey): Pending =>
  new Pending(
    Effect.map(seal(ring, identityOf(owner, generation), sessionKey), (box) => ({
      generation,
      sessionKey,
      sealed: box
    }))
  )

/** Opens a record that holds a sealed key, with the pairs that are known. */
const openWith = (
  ring: KeyRing,
  owner: Owner,
  known: ReadonlyArray<Pair>,
  stored: SealedAccountRecord,
  box: Sealed
): Effect.Effect<AccountRecord, NotOpened | Pending> => {
  const { session } = stored.context
  if (session === null) return new NotOpened({ why: "broken", keyId: box.keyId })
  const { generation } = session
  const pair = known.find(
    (each) =>
      each.generation === generation &&
      each.sealed.keyId === box.keyId &&
      each.sealed.nonce === box.nonce &&
      each.sealed.box === box.box
  )
  return pair === undefined
    ? Effect.fail(opening(ring, owner, generation, box))
    : Effect.succeed(withKey(stored, pair.sessionKey))
}

/** Closes a record with the pairs that are known. */
const closeWith = (
  ring: KeyRing,
  owner: Owner,
  known: ReadonlyArray<Pair>,
  { context, sessionKey, state }: AccountRecord
): Effect.Effect<SealedAccountRecord, Pending> => {
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
    ? Effect.fail(sealing(ring, owner, generation, sessionKey))
    : Effect.succeed(closed(pair.sealed))
}

/** Seals under the current key of the ring. */
export const sealed = (ring: KeyRing): AccountSecrets => {
  // The last pair of each account, so that a record with a known session needs no work.
  const met = new Map<string, Pair>()

  const vaultOf = (owner: Owner, known: ReadonlyArray<Pair>, metBefore: Pair | undefined): Vault => ({
    open: (stored) => {
      if (stored.sessionKey !== null) return openWith(ring, owner, known, stored, stored.sessionKey)
      // Drop only the pair from before: a pair that was sealed since then is about to be stored.
      if (met.get(nameOf(owner)) === metBefore) met.delete(nameOf(owner))
      return Effect.succeed(withKey(stored, null))
    },
    close: (record) => closeWith(ring, owner, known, record)
  })

  return {
    runSealed: (owner, transaction) =>
      Effect.gen(function* () {
        const name = nameOf(owner)
        // A list of its own: concurrent transactions of the account must not remove the pairs that it has prepared.
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

/**
 * Keeps the newest key of each account in memory. Other processes do not have it, nor does this one after a restart.
 */
export const inMemory = (): AccountSecrets => {
  const kept = new Map<string, { readonly session: Session; readonly sessionKey: SessionKey }>()

  const keyOf = (owner: Owner, session: Session): SessionKey | null => {
    const found = kept.get(nameOf(owner))
    const isIt =
      found?.session.generation === session.generation &&
      // A store that was restored from a backup may give out a generation again.
      found.session.obtainedAtMillis === session.obtainedAtMillis
    return isIt ? found.sessionKey : null
  }

  /** Drops the kept key, unless its session is stored, or its attempt is under way or lost and may yet be stored. */
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
        // The key is kept before the transaction commits. If it does not commit, no stored session asks for this key.
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
