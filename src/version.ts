/** The version of this release, as clients and the registry are told. package.json and server.json say the same. */
export const VERSION = '0.1.0';
