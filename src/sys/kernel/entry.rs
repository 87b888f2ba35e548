//! The instruction that enters the kernel, for each architecture whose one is known here (syscall(2) has the
//! table). On others libc's `syscall` does it.

/// What six arguments come to: what the call returns, or a negative `errno`.
pub(super) type Arguments = [usize; 6];

/// Makes the system call of this number.
///
/// # Safety
/// As the call has it.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) unsafe fn enter(number: usize, [a, b, c, d, e, f]: Arguments) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps all registers but these three; the rest by the function's contract.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// Makes the system call of this number. The compiler needs ebx and ebp for itself.
///
/// # Safety
/// As the call has it.
#[cfg(target_arch = "x86")]
#[inline(never)]
pub(super) unsafe fn enter(number: usize, arguments: Arguments) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps all registers but eax, and the ones that are borrowed are put back; the rest by the
    // function's contract.
    unsafe {
        core::arch::asm!(
            "push ebx",
            "push ebp",
            "push esi",
            "push edi",
            "mov ebx, [ecx]",
            "mov edx, [ecx + 8]",
            "mov esi, [ecx + 12]",
            "mov edi, [ecx + 16]",
            "mov ebp, [ecx + 20]",
            "mov ecx, [ecx + 4]",
            "int 0x80",
            "pop edi",
            "pop esi",
            "pop ebp",
            "pop ebx",
            inlateout("eax") number => result,
            inlateout("ecx") arguments.as_ptr() => _,
            lateout("edx") _,
        );
    }
    result
}

/// Makes the system call of this number.
///
/// # Safety
/// As the call has it.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
pub(super) unsafe fn enter(number: usize, [a, b, c, d, e, f]: Arguments) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps all registers but x0; the rest by the function's contract.
    unsafe {
        core::arch::asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a => result,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack),
        );
    }
    result
}

/// Makes the system call of this number. Its register may be the one that points to the frame.
///
/// # Safety
/// As the call has it.
#[cfg(target_arch = "arm")]
#[inline(always)]
pub(super) unsafe fn enter(number: usize, [a, b, c, d, e, f]: Arguments) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps all registers but r0, and r7 is put back; the rest by the function's contract.
    unsafe {
        core::arch::asm!(
            "mov {saved}, r7",
            "mov r7, {number}",
            "svc 0",
            "mov r7, {saved}",
            saved = out(reg) _,
            number = in(reg) number,
            inlateout("r0") a => result,
            in("r1") b, in("r2") c, in("r3") d, in("r4") e, in("r5") f,
            options(nostack),
        );
    }
    result
}

/// Makes the system call of this number.
///
/// # Safety
/// As the call has it.
#[cfg(any(target_arch = "riscv64", target_arch = "riscv32"))]
#[inline(always)]
pub(super) unsafe fn enter(number: usize, [a, b, c, d, e, f]: Arguments) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps all registers but a0; the rest by the function's contract.
    unsafe {
        core::arch::asm!(
            "ecall",
            in("a7") number,
            inlateout("a0") a => result,
            in("a1") b, in("a2") c, in("a3") d, in("a4") e, in("a5") f,
            options(nostack),
        );
    }
    result
}

/// Makes the system call of this number.
///
/// # Safety
/// As the call has it.
#[cfg(target_arch = "loongarch64")]
#[inline(always)]
pub(super) unsafe fn enter(number: usize, [a, b, c, d, e, f]: Arguments) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps all registers but $a0 and the temporary ones; the rest by the function's contract.
    unsafe {
        core::arch::asm!(
            "syscall 0",
            in("$a7") number,
            inlateout("$a0") a => result,
            in("$a1") b, in("$a2") c, in("$a3") d, in("$a4") e, in("$a5") f,
            lateout("$t0") _, lateout("$t1") _, lateout("$t2") _, lateout("$t3") _, lateout("$t4") _,
            lateout("$t5") _, lateout("$t6") _, lateout("$t7") _, lateout("$t8") _,
            options(nostack),
        );
    }
    result
}

/// Makes the system call of this number.
///
/// # Safety
/// As the call has it.
#[cfg(target_arch = "s390x")]
#[inline(always)]
pub(super) unsafe fn enter(number: usize, [a, b, c, d, e, f]: Arguments) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps all registers but r2; the rest by the function's contract.
    unsafe {
        core::arch::asm!(
            "svc 0",
            in("r1") number,
            inlateout("r2") a => result,
            in("r3") b, in("r4") c, in("r5") d, in("r6") e, in("r7") f,
            options(nostack),
        );
    }
    result
}

/// Makes the system call of this number. That it has failed stands in the condition register.
///
/// # Safety
/// As the call has it.
#[cfg(has_power)]
#[inline(always)]
pub(super) unsafe fn enter(number: usize, [a, b, c, d, e, f]: Arguments) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps all registers but those that are given up here; the rest by the function's contract.
    unsafe {
        core::arch::asm!(
            "sc",
            "bns+ 2f",
            "neg 3, 3",
            "2:",
            inlateout("r0") number => _,
            inlateout("r3") a => result,
            inlateout("r4") b => _, inlateout("r5") c => _, inlateout("r6") d => _,
            inlateout("r7") e => _, inlateout("r8") f => _,
            lateout("r9") _, lateout("r10") _, lateout("r11") _, lateout("r12") _,
            lateout("cr0") _, lateout("ctr") _, lateout("xer") _,
            options(nostack),
        );
    }
    result
}

/// The kernel's convention as libc's `syscall` tells it, on machines whose instruction is not known here: that
/// is a name that a program may take.
///
/// # Safety
/// As the call has it.
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "x86",
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "riscv64",
    target_arch = "riscv32",
    target_arch = "loongarch64",
    target_arch = "s390x",
    has_power,
)))]
#[allow(clippy::disallowed_methods, reason = "there is no other way here")]
pub(super) unsafe fn enter(number: usize, [a, b, c, d, e, f]: Arguments) -> isize {
    // SAFETY: by the function's contract.
    let result = unsafe { libc::syscall(number as _, a, b, c, d, e, f) };
    if result == -1 { -(crate::sys::process::errno() as isize) } else { result as isize }
}
