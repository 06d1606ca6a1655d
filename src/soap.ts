/**
 * Number over SOAP 1.1: attempts, calls of methods, and the schemas of answers. An entry of its own, so that a program that
 * uses REST loads no XML parser.
 *
 * @since 0.1.0
 */
export * as Answers from "./schemas/Answers.js"
export * as SoapClient from "./services/calls/SoapClient.js"
export * as SoapTransport from "./services/wire/SoapTransport.js"
