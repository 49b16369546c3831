/**
 * Values for the examples of the documents. They look like the real ones and open nothing. The tests
 * put real ones in their place and send every example, so each stands for one thing alone.
 */
export const SAMPLE = {
  /** Shown as the origin of the deployment that shows the document. */
  origin: 'https://carrel.example.com',
  token: 'ACCESS_TOKEN',
  /** A file that is there, and one whose bytes are expected. */
  fileId: 'fil_7h2k9mq4x0c8v5t1r3wz',
  approvalId: 'apr_5m1x8v3k7q0z4t9w2c6b',
  expectedFileId: 'fil_2n6p8s0v4y7b1d5g9jkq',
  /** A job that has ended, and one that is started. */
  jobId: 'job_4c7f0j3m6q9t2w5y8b1d',
  newJobId: 'job_9d2g5k8n1r4v7x0z3c6f',
  uploadAddress: 'WyJwZXJfMW4iLCJmaWwiXQ.Yd4vC2pLq8sN0xKz7tRb5w',
  partsAddress: 'WyJwZXJfMW4iLCJ1cGxfMnEiXQ.Rk8wXv3nBe1sHq6yUo9cDt',
  tusAddress: 'WyJwZXJfMW4iLCJ0dXNfMnQiXQ.Vs5pGx1mKd7wLc9rAf3hEj',
  downloadAddress: 'WyJwZXJfMW4iLCJnZXQiXQ.Jm3fQ9aHd6uE1yTo8kVi4g',
  /** Of the bytes `a,b\n1,2\n`. */
  sha256: '492d5ea496056f1a6a6592241032fab764c321596317930b4fa0e1e8bc3b7470',
  cursor: 'WzE3NjMxNTA0MDAwMDAsImZpbF83aDJrIl0',
  requestId: 'f3hyqxavq4y60w21syra',
  clientId: 'BYnnnlj4Np_txlnT',
  /** Of a terminal, registered for the device grant; the code is of a request that nobody has answered. */
  deviceClientId: 'wV3kq8Zr_t5YpQ2m',
  deviceCode: 'GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNh.k2Jd0rTqXb7N',
  code: 'per_1n4q7t0w3z6c9f2j5m8p.k3v6x9b2d5g8j1m4:AUTH_CODE',
  verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  refreshToken: 'per_1n4q7t0w3z6c9f2j5m8p.k3v6x9b2d5g8j1m4:REFRESH_TOKEN',
} as const;
