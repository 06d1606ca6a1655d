/**
 * The error of a session key or token that no supplied store key opens.
 */
import type { AccountKey } from "../AuthStore.js"
import { AuthStoreError } from "../AuthStoreError.js"
import type { KeyRing } from "../StoreKey.js"
import type { Identity, NotOpened } from "./sealing.js"

/** The name of each sealed secret, and how to go on without it. */
const secrets = {
  sessionKey: {
    name: "session key",
    discard:
      "number-auth rekey --discard deletes the sealed session, and the next login makes an attempt; the count and the record of refused tokens stay the same"
  },
  token: {
    name: "token",
    discard:
      "number-auth rekey --discard deletes the sealed token, which must then be supplied again; the count and the record of refused tokens stay the same"
  }
}

/**
 * Names the missing key, or says that the secret does not open. Nothing was changed, and nothing was sent.
 */
export const notOpened =
  ({ account, location }: AccountKey, ring: KeyRing | undefined, what: Identity["what"] = "sessionKey") =>
  ({ keyId, why }: NotOpened): AuthStoreError => {
    const { discard, name } = secrets[what]
    const secret = `the ${name} of account ${account} at location ${location}`
    if (why !== "unknownKey") {
      return new AuthStoreError({
        reason: "unreadable",
        detail: `${secret} does not open: its record is damaged, was changed, or belongs to another account`,
        advice: `Find out what changed the store. Then ${discard}`
      })
    }
    const given = ring === undefined ? [] : [ring.current, ...ring.older]
    return new AuthStoreError({
      reason: "unreadable",
      detail: `${secret} is sealed under the store key with id ${keyId}, which was not supplied (supplied: ${given.map(({ id }) => id).join(", ") || "none"})`,
      advice: `Supply the store key with id ${keyId}: as NUMBER_STORE_KEY, or in NUMBER_STORE_KEY_OLD if it was replaced. If it is lost, ${discard}`
    })
  }
