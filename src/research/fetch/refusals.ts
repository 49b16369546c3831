import { CarrelError } from '../../lib/errors.ts';
import type { ErrorCode, ErrorDetails } from '../../lib/errors.ts';
import type { SourceAddressFault } from '../addresses/normalise.ts';

const INSTEAD = 'Add its text, or a file of it, instead.';
const LATER = 'Add it again later.';

const ADDRESS_FAULTS: Readonly<Record<SourceAddressFault, string>> = {
  not_a_url: 'is no URL: it begins with https://, doi: or arXiv:',
  not_https: 'does not begin with https://',
  credentials: 'holds a name or a password',
  too_long: 'is longer than servers take',
  not_a_doi: 'is no DOI: they look like doi:10.1000/182',
  not_an_arxiv_id: 'is no id of arXiv: they look like arXiv:2401.00001',
};

export function addressRefusal(fault: SourceAddressFault): CarrelError {
  return refusal('invalid_input', fault, `The address ${ADDRESS_FAULTS[fault]}. Nothing was fetched from it.`);
}

/** For what was still to be done when the time of the call was over. */
export function notReached(): CarrelError {
  return refusal(
    'unavailable',
    'not_reached',
    'There was no time left for this address. Add it again, with fewer others.',
  );
}

export function emptyRefusal(): CarrelError {
  return refusal('unsupported', 'empty', 'The address answers with nothing at all.');
}

/** What can hold no text that is read here. It is refused before it is fetched whole. */
export function typeRefusal(type: string): CarrelError | undefined {
  const isText = /^image\/svg/i.test(type);
  return !isText && /^\s*(?:audio|font|image|multipart|video)\//i.test(type)
    ? refusal(
        'unsupported',
        'type',
        'The address gives sound, pictures or parts of several types, of which no text is read.',
      )
    : undefined;
}

/** A failure of `guardedFetch` with a reason, and with what to do next. */
export function explained(error: CarrelError): CarrelError {
  const { status, reason, limit } = error.details;
  if (typeof status === 'number') return ofStatus(error, status);
  if (error.code === 'too_large' && typeof limit === 'number')
    return refusal(
      'too_large',
      'too_large',
      `What the address holds is larger than ${limit / 1e6} MB. ${INSTEAD}`,
      error,
    );
  if (reason === 'too_slow' || reason === 'unreachable')
    return refusal(error.code, reason, `${error.message} ${LATER}`, error);
  return error;
}

function ofStatus(error: CarrelError, status: number): CarrelError {
  const said = `The address answers with status ${status}`;
  const [reason, message] = statusReason(status, said);
  return refusal(error.code, reason, message, error);
}

function statusReason(status: number, said: string): [reason: string, message: string] {
  if (status === 401 || status === 402 || status === 407)
    return ['sign_in_needed', `${said}: it wants a sign-in or a payment. ${INSTEAD}`];
  if (status === 403 || status === 451) return ['refused_there', `${said}: it does not let us read it. ${INSTEAD}`];
  if (status === 404 || status === 410) return ['not_there', `${said}: there is nothing, or nothing any more.`];
  if (status === 429) return ['too_many_requests', `${said}: it wants fewer requests. ${LATER}`];
  if (status >= 500) return ['failed_there', `${said}: it is out of order. ${LATER}`];
  return ['status', `${said}, which brings no page.`];
}

function refusal(code: ErrorCode, reason: string, message: string, cause?: CarrelError): CarrelError {
  const details: ErrorDetails = { ...cause?.details, reason };
  return new CarrelError(code, message, { details, cause });
}
