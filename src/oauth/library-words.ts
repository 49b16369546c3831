/** How the OAuth library words what it refuses, where its error says no more: see `AuthorizationError`. */
export const UNKNOWN_CLIENT = 'Invalid client_id';
export const INVALID_REDIRECT = 'Invalid redirect URI';
