# libc's own dns stays behind it, for when the module can't be asked.
hosts before=dns rustdns [!UNAVAIL=return]
