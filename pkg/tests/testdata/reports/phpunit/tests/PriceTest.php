<?php
use PHPUnit\Framework\TestCase;

final class PriceTest extends TestCase
{
    public function testSum(): void
    {
        $this->assertSame(2, 1 + 1);
    }

    public function testTax(): void
    {
        $this->assertSame(7, 9, 'the tax is off');
    }

    public function testLater(): void
    {
        $this->markTestSkipped('later');
    }

    public function testBroken(): void
    {
        throw new RuntimeException('no database');
    }

    /** @dataProvider counts */
    public function testCount(int $n): void
    {
        $this->assertLessThan(2, $n);
    }

    public static function counts(): array { return [[1], [2]]; }
}
