import Uppy from '@uppy/core';
import Tus from '@uppy/tus';

/** Somebody else's page with Uppy, as far as a bundler is needed for it. What it does there, a test says. */
Object.assign(globalThis, { Uppy, Tus });
