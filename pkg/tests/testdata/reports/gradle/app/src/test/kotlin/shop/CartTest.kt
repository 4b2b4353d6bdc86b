package com.shop

class CartTest {
}
