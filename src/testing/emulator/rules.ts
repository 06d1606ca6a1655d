/**
 * The documented rules of Number's backend, and the readings of the points that the documentation leaves open.
 */
import * as Duration from "effect/Duration"

/** "6 unsuccessful attempts in a row" (seed, Lockouts). */
export const UNSUCCESSFUL_THAT_LOCK = 6

/** "session key has expired after 25 hours" (seed, 5030). */
export const SESSION_LIFE = Duration.hours(25)

/** The IP of a caller whose IP is not known. */
export const UNKNOWN_IP = "127.0.0.1"

/** The emulator's own request header with which a caller picks its IP. */
export const IP_HEADER = "x-emulator-ip"

/** Compares a sent token with a known one: exactly, as with any password. */
export const isSameToken = (sent: string, known: string): boolean => sent === known

/** The key in a header, which is bare or signed as `{SessKey}_{Epoch}_{DeviceID}_{Hash}`. The hash is not checked. */
export const keyOfHeader = (header: string): string => header.split("_")[0] ?? ""

export const isAccountCode = (text: string): boolean => /^[A-Za-z]{2}[0-9]{7}$/.test(text)

export const isToken = (text: string): boolean => /^[0-9A-Fa-f]{32}$/.test(text)

/**
 * Settings of the emulator. Some of them choose a reading, since the documentation allows several.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /**
   * The attempts that are counted up to six: all unsuccessful attempts of the IP, or those of each account of the IP
   * separately. The lock is on the whole IP either way. Default: `"ip"`.
   */
  readonly counting?: "ip" | "ipAndAccount"
  /** Which failures a success takes off the count: all of the IP's, or its own account's. Default: `"all"`. */
  readonly successClears?: "all" | "own"
  /**
   * Whether an attempt that was answered with a fault (not 200, not an AuthenticateResult, `FunctionOk` false)
   * counts as unsuccessful. Default: `true`.
   */
  readonly faultsCount?: boolean
  /** HTTP status of the answer to a request whose session key is refused (5030, 5050). Default: 200. */
  readonly refusalStatus?: number
  /** HTTP status of the answer to an Authenticate call from a locked IP. Default: 200. */
  readonly lockedStatus?: number
  /** The IP of callers without an IP of their own. Default: none; then the socket's address is used, or 127.0.0.1. */
  readonly ip?: string
  /** The namespace of methods and parameters over SOAP. Default: `"http://tempuri.org/"`. */
  readonly soapNamespace?: string
  /** The text before the method's name in `SOAPAction`. Default: `"http://tempuri.org/ICardProcess/"`. */
  readonly soapActionPrefix?: string
}

export interface SoapNames {
  readonly namespace: string
  readonly actionPrefix: string
}

export interface Rules {
  readonly counting: "ip" | "ipAndAccount"
  readonly successClears: "all" | "own"
  readonly faultsCount: boolean
  readonly lockedStatus: number
  readonly soap: SoapNames
}
