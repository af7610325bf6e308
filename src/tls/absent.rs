//! Replaces TLS in a build without the feature `tls`: every use of it fails with a one-line error.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::path::Path;
use std::time::Instant;

use rustix::fd::{AsFd, BorrowedFd};

use crate::bounded_stream::Bounded;
use crate::error::{Error, Result};
use crate::shutdown::Shutdown;
use crate::wait::Ready;

fn refuse<T>() -> Result<T> {
    Err(Error::usage("cannot speak TLS: this wstail was built without the feature `tls`"))
}

#[derive(Clone, Debug)]
pub(crate) struct Acceptor(Infallible);

impl Acceptor {
    pub(crate) fn load(_cert: &Path, _key: &Path) -> Result<Acceptor> {
        refuse()
    }

    pub(crate) fn accept<T>(&self, _turn: T, _until: Instant, _shutdown: &Shutdown) -> io::Result<TlsStream<T>> {
        match self.0 {}
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Connector(Infallible);

impl Connector {
    pub(crate) fn system() -> Result<Connector> {
        refuse()
    }

    pub(crate) fn only(_file: &Path) -> Result<Connector> {
        refuse()
    }

    pub(crate) fn anyone() -> Result<Connector> {
        refuse()
    }

    pub(crate) fn connect<T>(
        &self,
        _turn: T,
        _host: &str,
        _what: &str,
        _until: Instant,
        _shutdown: &Shutdown,
    ) -> Result<TlsStream<T>> {
        match self.0 {}
    }
}

#[derive(Debug)]
pub(crate) struct TlsStream<T>(Infallible, PhantomData<T>);

impl<T> Bounded for TlsStream<T> {
    fn begin(&mut self, _ready: Ready) {
        match self.0 {}
    }

    fn count(&self) -> (u64, u64) {
        match self.0 {}
    }
}

impl<T> AsFd for TlsStream<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self.0 {}
    }
}

impl<T> Read for TlsStream<T> {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        match self.0 {}
    }
}

impl<T> Write for TlsStream<T> {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        match self.0 {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0 {}
    }
}
